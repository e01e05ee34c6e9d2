/** A queue as the management plugin shows it. */
export interface ManagedQueue {
  readonly name: string;
  readonly durable: boolean;
  readonly type: string;
  readonly messages?: number;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** An exchange as the management plugin shows it. */
export interface ManagedExchange {
  readonly name: string;
}

/** A channel as the management plugin shows it. */
export interface ManagedChannel {
  readonly confirm: boolean;
}

/** A consumer as the management plugin shows it. */
export interface ManagedConsumer {
  readonly queue: { readonly name: string };
  /** It acknowledges what it was given; otherwise the broker forgets a message as it sends it. */
  readonly ack_required: boolean;
}

/** RabbitMQ's management plugin: what AMQP itself does not tell. */
export class RabbitMQManagement {
  constructor(private readonly url: string) {}

  queues(): Promise<readonly ManagedQueue[]> {
    return this.#get('queues/%2F');
  }

  exchanges(): Promise<readonly ManagedExchange[]> {
    return this.#get('exchanges/%2F');
  }

  channels(): Promise<readonly ManagedChannel[]> {
    return this.#get('channels');
  }

  consumers(): Promise<readonly ManagedConsumer[]> {
    return this.#get('consumers/%2F');
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await this.#send(path)).json()) as T;
  }

  async #send(path: string): Promise<Response> {
    const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
    const response = await fetch(`${this.url}/api/${path}`, { headers: { authorization } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}

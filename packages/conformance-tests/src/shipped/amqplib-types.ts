/** The part of amqplib that the inspection uses. The kit depends on no client: this one is the project's own. */
export interface AmqpLib {
  connect(url: string, options?: Readonly<Record<string, unknown>>): Promise<AmqpConnection>;
}

export interface AmqpConnection {
  createChannel(): Promise<AmqpChannel>;
  createConfirmChannel(): Promise<AmqpChannel>;
  close(): Promise<void>;
  on(event: string, listener: (...args: readonly unknown[]) => void): unknown;
}

export interface AmqpMessage {
  readonly content: Buffer;
  readonly fields: { readonly routingKey: string; readonly deliveryTag: number };
  readonly properties: {
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly messageId?: string;
    readonly contentType?: string;
    readonly type?: string;
    readonly deliveryMode?: number;
  };
}

export interface AmqpChannel {
  assertExchange(name: string, type: string, options?: Readonly<Record<string, unknown>>): Promise<unknown>;
  assertQueue(
    name: string,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly queue: string; readonly messageCount: number; readonly consumerCount: number }>;
  checkQueue(name: string): Promise<{ readonly messageCount: number; readonly consumerCount: number }>;
  deleteQueue(name: string): Promise<unknown>;
  deleteExchange(name: string): Promise<unknown>;
  bindQueue(queue: string, exchange: string, pattern: string): Promise<unknown>;
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: Readonly<Record<string, unknown>>,
    confirmed?: (error: unknown) => void,
  ): boolean;
  consume(
    queue: string,
    onMessage: (message: AmqpMessage | null) => void,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<unknown>;
  ack(message: AmqpMessage, upTo?: boolean): void;
  prefetch(count: number): Promise<unknown>;
  close(): Promise<void>;
  on(event: string, listener: (...args: readonly unknown[]) => void): unknown;
}

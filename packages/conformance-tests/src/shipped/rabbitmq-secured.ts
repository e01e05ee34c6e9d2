import { TcpProxy } from '../proxy.js';
import type { Door, Undo, Where } from '../security/secured.js';
import type { ClosableBroker } from './opened-once.js';
import { createRabbitMQBus } from './rabbitmq.js';
import { type BadCertificate, rightTls, type TlsMaterial, wrongTls } from './secured-tls.js';
import { VISITOR, VisitorLogin, WRONG_LOGIN, withSecurity } from './secured-visitor.js';

/** A RabbitMQ for tests that knows users and encrypts. */
export interface SecuredRabbitMQ {
  readonly urls: readonly string[];
  readonly tls: (TlsMaterial & SecuredRabbitMQTls) | undefined;
  administer(command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

interface SecuredRabbitMQTls {
  readonly urls: readonly string[];
  show(certificate: BadCertificate | 'valid'): Promise<void>;
}

/** What is asked of whoever starts one. */
export interface SecuredRabbitMQOptions {
  readonly users: readonly { readonly username: string; readonly password: string }[];
  readonly tls: true | 'mutual';
  readonly certificateLogin?: boolean;
}

const EVERYTHING = '.*';

/** Every way into a RabbitMQ: in the clear, over TLS, with a client's certificate, and by nothing but that. */
export async function securedRabbitMQ(
  start: (options: SecuredRabbitMQOptions) => Promise<SecuredRabbitMQ>,
): Promise<ClosableBroker> {
  const users = [VISITOR];
  const brokers = await Promise.all([
    start({ users, tls: true }),
    start({ users, tls: 'mutual', certificateLogin: true }),
  ]);
  const [encrypted, mutual] = brokers;
  const proxies: TcpProxy[] = [];
  const wayTo = async (url: string): Promise<TcpProxy> => {
    const { hostname, port } = new URL(url);
    const proxy = await TcpProxy.start({ target: { host: hostname, port: Number(port) } });
    proxies.push(proxy);
    return proxy;
  };
  const doors = [
    plainDoor(encrypted, await wayTo(encrypted.urls[0] ?? '')),
    await tlsDoor(encrypted, 'PLAIN', wayTo),
    await tlsDoor(mutual, 'PLAIN and certificate', wayTo),
    await tlsDoor(mutual, 'EXTERNAL', wayTo),
  ];
  return {
    doors,
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await Promise.all(brokers.map((broker) => broker.stop()));
    },
  };
}

function plainDoor(rabbitmq: SecuredRabbitMQ, network: TcpProxy): Door {
  const url = `amqp://${network.host}:${network.port}`;
  const user = new BrokerUser(rabbitmq, network);
  return {
    protocol: 'amqp',
    mechanism: 'PLAIN',
    network,
    create: (request) => createRabbitMQBus(url, withSecurity(request, { credentials: user.credentials })),
    wrong: wrongUsers({}),
    ...user.changes(),
  };
}

async function tlsDoor(
  rabbitmq: SecuredRabbitMQ,
  mechanism: 'PLAIN' | 'PLAIN and certificate' | 'EXTERNAL',
  wayTo: (url: string) => Promise<TcpProxy>,
): Promise<Door> {
  const { tls } = rabbitmq;
  if (!tls) throw new Error('RabbitMQ was started without TLS');
  const network = await wayTo(tls.urls[0] ?? '');
  const url = `amqps://${network.host}:${network.port}`;
  const user = new BrokerUser(rabbitmq, network);
  const mutual = mechanism !== 'PLAIN';
  const who = mechanism === 'EXTERNAL' ? { mechanism } : { credentials: user.credentials };
  const right = rightTls(tls, mutual);
  const { rotate, ...changes } = user.changes();
  const wrong = await wrongTls({
    material: tls,
    mutual,
    withTls: (other) => ({ security: { ...who, tls: other } }),
    show: (certificate) => tls.show(certificate),
  });
  // Without its certificate the bus itself refuses EXTERNAL.
  if (mechanism === 'EXTERNAL') delete wrong['no client certificate'];
  return {
    protocol: 'amqps',
    mechanism,
    network,
    create: (request) => createRabbitMQBus(url, withSecurity(request, { ...who, tls: right })),
    wrong: { ...(mechanism === 'EXTERNAL' ? {} : wrongUsers({ tls: right })), ...wrong },
    ...changes,
    ...(mechanism === 'EXTERNAL' ? {} : { rotate }),
  };
}

function wrongUsers(security: object): Door['wrong'] {
  return {
    'wrong password': {
      overrides: { security: { ...security, credentials: WRONG_LOGIN } },
      code: 'AUTHENTICATION',
    },
  };
}

/** What can be done to the visitor at the broker. */
class BrokerUser {
  readonly #login = new VisitorLogin((password) => this.#ctl('change_password', VISITOR.username, password));

  constructor(
    private readonly rabbitmq: SecuredRabbitMQ,
    private readonly network: TcpProxy,
  ) {}

  get credentials(): VisitorLogin['credentials'] {
    return this.#login.credentials;
  }

  changes(): Pick<Required<Door>, 'deny' | 'revoke' | 'rotate'> {
    return {
      deny: {
        stream: ({ namespace }) => this.#allBut(`${namespace}$`),
        // Dead letters are written through the default exchange, like the journals: no right of their own.
        group: ({ namespace, group }: Where) => this.#allBut(`${namespace}\\.${group}(\\.|$)`),
      },
      revoke: async () => {
        await this.#ctl('delete_user', VISITOR.username);
        return async () => {
          await this.#ctl('add_user', VISITOR.username, this.credentials().password);
          await this.#allow(EVERYTHING);
        };
      },
      rotate: this.#login.rotate,
    };
  }

  async #allBut(name: string): Promise<Undo> {
    await this.#allow(`^(?!${name}).*`);
    // A channel keeps what it was once allowed.
    await this.network.cut();
    return async () => {
      await this.#allow(EVERYTHING);
      await this.network.cut();
    };
  }

  async #allow(names: string): Promise<void> {
    await this.#ctl('set_permissions', VISITOR.username, names, names, names);
  }

  async #ctl(...words: readonly string[]): Promise<void> {
    await this.rabbitmq.administer(['rabbitmqctl', ...words]);
  }
}

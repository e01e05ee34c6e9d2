import { TcpProxy } from '../proxy.js';
import type { Door, Right, Undo, Where } from '../security/secured.js';
import type { ClosableBroker } from './opened-once.js';
import { createRedisBus } from './redis.js';
import { type BadCertificate, rightTls, type TlsMaterial, wrongTls } from './secured-tls.js';
import { VISITOR, VisitorLogin, WRONG_LOGIN, withSecurity } from './secured-visitor.js';

/** Where a server listens. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/** A Redis for tests that knows users, and may encrypt. */
export interface SecuredRedis {
  readonly address: Address;
  readonly tls: (TlsMaterial & SecuredRedisTls) | undefined;
  administer(command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

interface SecuredRedisTls {
  readonly address: Address;
  show(certificate: BadCertificate | 'valid'): Promise<void>;
}

/** What is asked of whoever starts one. */
export interface SecuredRedisOptions {
  readonly users?: readonly { readonly username: string; readonly password: string }[];
  readonly tls?: true | 'mutual';
}

/** Every way into a Redis: open, by an ACL user, over TLS, with a client's certificate. */
export async function securedRedis(
  start: (options: SecuredRedisOptions) => Promise<SecuredRedis>,
): Promise<ClosableBroker> {
  const users = [VISITOR];
  const [open, encrypted, mutual] = await Promise.all([
    start({}),
    start({ users, tls: true }),
    start({ users, tls: 'mutual' }),
  ]);
  const proxies: TcpProxy[] = [];
  const wayTo = async (target: Address): Promise<TcpProxy> => {
    const proxy = await TcpProxy.start({ target });
    proxies.push(proxy);
    return proxy;
  };
  const doors = [
    openDoor(await wayTo(open.address)),
    userDoor(encrypted, await wayTo(encrypted.address)),
    await tlsDoor(encrypted, false, wayTo),
    await tlsDoor(mutual, true, wayTo),
  ];
  return {
    doors,
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await Promise.all([open, encrypted, mutual].map((redis) => redis.stop()));
    },
  };
}

function openDoor(network: TcpProxy): Door {
  return {
    protocol: 'redis',
    mechanism: 'none',
    network,
    create: (request) => createRedisBus(urlOf('redis', network), request),
    wrong: {},
  };
}

function userDoor(redis: SecuredRedis, network: TcpProxy): Door {
  const url = urlOf('redis', network);
  const user = new AclUser(redis);
  return {
    protocol: 'redis',
    mechanism: 'ACL user',
    network,
    create: (request) => createRedisBus(url, withSecurity(request, { credentials: user.credentials })),
    wrong: wrongUsers({}),
    ...user.changes(),
  };
}

async function tlsDoor(
  redis: SecuredRedis,
  mutual: boolean,
  wayTo: (target: Address) => Promise<TcpProxy>,
): Promise<Door> {
  const { tls } = redis;
  if (!tls) throw new Error('Redis was started without TLS');
  const network = await wayTo(tls.address);
  const url = urlOf('rediss', network);
  const user = new AclUser(redis);
  const { credentials } = user;
  const right = rightTls(tls, mutual);
  const refusedByTls = await wrongTls({
    material: tls,
    mutual,
    withTls: (other) => ({ security: { credentials, tls: other } }),
    show: (certificate) => tls.show(certificate),
  });
  return {
    protocol: 'rediss',
    mechanism: mutual ? 'ACL user and certificate' : 'ACL user',
    network,
    create: (request) => createRedisBus(url, withSecurity(request, { credentials, tls: right })),
    wrong: { ...wrongUsers({ tls: right }), ...refusedByTls },
    ...user.changes(),
  };
}

function urlOf(scheme: string, { host, port }: Address): string {
  return `${scheme}://${host}:${port}`;
}

function wrongUsers(security: object): Door['wrong'] {
  return {
    'wrong password': {
      overrides: { security: { ...security, credentials: WRONG_LOGIN } },
      code: 'AUTHENTICATION',
    },
    'no credentials': { overrides: { security }, code: 'AUTHENTICATION' },
  };
}

/** What can be done to the visitor at the server. */
class AclUser {
  readonly #login = new VisitorLogin((password) => this.#set('resetpass', `>${password}`));

  constructor(private readonly redis: SecuredRedis) {}

  get credentials(): VisitorLogin['credentials'] {
    return this.#login.credentials;
  }

  changes(): Pick<Required<Door>, 'deny' | 'revoke' | 'rotate'> {
    return {
      deny: {
        stream: (where) => this.#onlyKeys(keysWithout('stream', where)),
        group: (where) => this.#onlyKeys(keysWithout('group', where)),
        'dead letters': (where) => this.#onlyKeys(keysWithout('dead letters', where)),
      },
      revoke: async () => {
        await this.#set('off');
        return () => this.#set('on');
      },
      rotate: this.#login.rotate,
    };
  }

  async #onlyKeys(patterns: readonly string[]): Promise<Undo> {
    await this.#set('resetkeys', ...patterns);
    return () => this.#set('allkeys');
  }

  async #set(...rules: readonly string[]): Promise<void> {
    await this.redis.administer(['redis-cli', 'ACL', 'SETUSER', VISITOR.username, ...rules]);
  }
}

/** Patterns of all keys but those that the right is about: Redis has none that take something away. */
function keysWithout(right: Right, { namespace, elsewhere }: Where): readonly string[] {
  const others = [`~${elsewhere}:*`, `~{${elsewhere}:*`];
  const stream = [`~${namespace}:stream`, `~${namespace}:stream:*`];
  const letters = [`~${namespace}:stream_dlq*`];
  const bookkeeping = [`~{${namespace}:stream*`];
  const notOfGroups = [`~{${namespace}:stream*}:publisher:*`, `~{${namespace}:stream}:partitions`];
  switch (right) {
    case 'stream':
      return [...others, ...letters, ...bookkeeping];
    case 'group':
      return [...others, ...stream, ...letters, ...notOfGroups];
    case 'dead letters':
      return [...others, ...stream, ...bookkeeping];
  }
}

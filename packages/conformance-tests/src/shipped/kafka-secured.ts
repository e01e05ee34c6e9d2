import { importFromProject } from '../load-package.js';
import { until } from '../poll.js';
import { TcpProxy } from '../proxy.js';
import type { Door, Undo } from '../security/secured.js';
import type { CreateRequest } from '../subject.js';
import type { BoundListener } from './bound-listener.js';
import { createKafkaBus } from './kafka.js';
import { KafkaRights } from './kafka-rights.js';
import type { KafkaJs } from './kafkajs-types.js';
import type { ClosableBroker } from './opened-once.js';
import { type BadCertificate, type ClientTls, rightTls, type TlsMaterial, wrongTls } from './secured-tls.js';
import { VISITOR, VisitorLogin, WRONG_LOGIN, withSecurity } from './secured-visitor.js';

/** A Kafka for tests that knows users, encrypts, and goes by ACLs. */
export interface SecuredKafka {
  readonly directBrokers: readonly string[];
  readonly listeners: Readonly<Record<string, { readonly brokers: readonly string[] } | undefined>>;
  readonly tls: TlsMaterial | undefined;
  readonly tokens:
    | { sign(claims: { readonly subject: string; readonly forged?: boolean }): string }
    | undefined;
  administer(command: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

type Mechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';

/** A listener as it is asked for. */
interface Listener {
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly mechanisms?: readonly Mechanism[];
  readonly clientCertificate?: 'required';
  readonly serverCertificate?: BadCertificate;
  readonly tokens?: 'unsecured' | 'signed';
}

/** What is asked of whoever starts one. */
export interface SecuredKafkaOptions {
  readonly acls: true;
  readonly users: readonly { readonly username: string; readonly password: string }[];
  readonly listeners: readonly Listener[];
  readonly advertise: (bound: BoundListener) => Promise<string>;
}

const BY_PASSWORD = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const APPLIED_WITHIN_MS = 10_000;

const DOORS: readonly Listener[] = [
  { name: 'OPEN', protocol: 'PLAINTEXT' },
  { name: 'TLS', protocol: 'SSL' },
  { name: 'MUTUAL', protocol: 'SSL', clientCertificate: 'required' },
  { name: 'SASL', protocol: 'SASL_PLAINTEXT', mechanisms: BY_PASSWORD },
  { name: 'TOKEN', protocol: 'SASL_PLAINTEXT', mechanisms: ['OAUTHBEARER'], tokens: 'unsecured' },
  { name: 'SASL_TLS', protocol: 'SASL_SSL', mechanisms: BY_PASSWORD },
  { name: 'TOKEN_TLS', protocol: 'SASL_SSL', mechanisms: ['OAUTHBEARER'], tokens: 'signed' },
];
/** A handshake fails before anything is said, so that one of each is enough. */
const BAD: Readonly<Record<BadCertificate, Listener>> = {
  expired: { name: 'EXPIRED', protocol: 'SSL', serverCertificate: 'expired' },
  'wrong-name': { name: 'WRONG_NAME', protocol: 'SSL', serverCertificate: 'wrong-name' },
  'unknown-authority': { name: 'UNKNOWN', protocol: 'SSL', serverCertificate: 'unknown-authority' },
};

/** The way to a listener: its proxy can be led to another one. */
interface Way {
  readonly network: TcpProxy;
  readonly real: { readonly host: string; readonly port: number };
  target: { readonly host: string; readonly port: number };
}

/** Every way into a Kafka: each of its protocols, and each mechanism of those with SASL. */
export async function securedKafka(
  start: (options: SecuredKafkaOptions) => Promise<SecuredKafka>,
): Promise<ClosableBroker> {
  const ways = new Map<string, Way>();
  const kafka = await start({
    acls: true,
    users: [VISITOR],
    listeners: [...DOORS, ...Object.values(BAD)],
    advertise: async ({ listener, host, port }) => {
      if (!DOORS.some(({ name }) => name === listener)) {
        ways.set(listener, { real: { host, port } } as Way);
        return `${host}:${port}`;
      }
      await ways.get(listener)?.network.close();
      const real = { host, port };
      const network = await TcpProxy.start({ target: () => ways.get(listener)?.target ?? real });
      ways.set(listener, { network, real, target: real });
      return `${network.host}:${network.port}`;
    },
  });
  const rights = await KafkaRights.of(kafka.directBrokers, VISITOR.username);
  const doors = await Promise.all(
    DOORS.flatMap((listener) =>
      (listener.mechanisms ?? [undefined]).map((mechanism) =>
        doorOf({ kafka, rights, ways }, listener, mechanism),
      ),
    ),
  );
  return {
    doors,
    async close() {
      await rights.close();
      await Promise.all([...ways.values()].map(({ network }) => network?.close()));
      await kafka.stop();
    },
  };
}

interface House {
  readonly kafka: SecuredKafka;
  readonly rights: KafkaRights;
  readonly ways: ReadonlyMap<string, Way>;
}

async function doorOf(
  { kafka, rights, ways }: House,
  listener: Listener,
  mechanism: Mechanism | undefined,
): Promise<Door> {
  const { name, protocol, clientCertificate } = listener;
  const way = ways.get(name);
  if (!way) throw new Error(`Kafka was started without the listener ${name}`);
  const { network } = way;
  const brokers = [`${network.host}:${network.port}`];
  const mutual = clientCertificate === 'required';
  const material = protocol.endsWith('SSL') ? await materialOf(kafka) : undefined;
  const tls = material && rightTls(material, mutual);
  const scram = mechanism?.startsWith('SCRAM')
    ? new ScramUser(kafka, mechanism, { brokers, ...(tls && { ssl: tls }) })
    : undefined;
  const login = mechanism && {
    mechanism,
    credentials: scram?.login.credentials ?? fixedLogin(kafka, listener, mechanism),
  };
  const securityOf = (other: ClientTls | undefined): object => ({
    protocol,
    ...login,
    ...(other && { tls: other }),
  });
  const create = (request: CreateRequest): ReturnType<Door['create']> =>
    createKafkaBus(brokers, withSecurity(request, securityOf(tls)));
  return {
    protocol,
    mechanism: mechanism ?? (mutual ? 'certificate' : 'none'),
    network,
    create,
    wrong: {
      ...wrongLogin(kafka, listener, mechanism, tls),
      ...(material &&
        (await wrongTls({
          material,
          mutual,
          withTls: (other) => ({ security: securityOf(other) }),
          show: async (certificate) => {
            const shown = certificate === 'valid' ? way : ways.get(BAD[certificate].name);
            way.target = shown?.real ?? way.real;
          },
        }))),
    },
    // Who comes without a login or a certificate is nobody that rights could be taken from.
    ...(mechanism !== undefined || mutual ? { deny: rights.deny } : {}),
    ...(scram && { revoke: scram.revoke, rotate: scram.login.rotate }),
    ...(mechanism === 'OAUTHBEARER' ? { rotate: async () => async () => undefined } : {}),
  };
}

/** The client's certificate names the visitor. */
async function materialOf({ tls }: SecuredKafka): Promise<TlsMaterial> {
  if (!tls) throw new Error('Kafka was started without TLS');
  const { clientCertificate, clientKey } = await tls.issueClientCertificate(VISITOR.username);
  return {
    ca: tls.ca,
    clientCertificate,
    clientKey,
    issueClientCertificate: (...args) => tls.issueClientCertificate(...args),
  };
}

/** A new token for every login; PLAIN's password, which is part of the broker's configuration. */
function fixedLogin(kafka: SecuredKafka, { tokens }: Listener, mechanism: Mechanism): object {
  if (mechanism !== 'OAUTHBEARER') return VISITOR;
  return () => ({ token: tokens === 'signed' ? signed(kafka, false) : unsecured(600) });
}

function signed({ tokens }: SecuredKafka, forged: boolean): string {
  if (!tokens) throw new Error('Kafka was started without a listener that takes signed tokens');
  return tokens.sign({ subject: VISITOR.username, forged });
}

function unsecured(lifetimeSeconds: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const times = { iat: nowSeconds - 3_600, exp: nowSeconds + lifetimeSeconds };
  return `${part({ alg: 'none' })}.${part({ sub: VISITOR.username, ...times })}.`;
}

function wrongLogin(
  kafka: SecuredKafka,
  { protocol, tokens }: Listener,
  mechanism: Mechanism | undefined,
  tls: ClientTls | undefined,
): Door['wrong'] {
  if (mechanism === undefined) return {};
  const token = (): string => (tokens === 'signed' ? signed(kafka, true) : unsecured(-60));
  const credentials = mechanism === 'OAUTHBEARER' ? () => ({ token: token() }) : WRONG_LOGIN;
  const security = { protocol, mechanism, credentials, ...(tls && { tls }) };
  return { 'wrong password': { overrides: { security }, code: 'AUTHENTICATION' } };
}

/** What can be done to the visitor who comes with SCRAM, at the broker. */
class ScramUser {
  readonly login = new VisitorLogin(async (password) => {
    await this.#alter('--add-config', `${this.mechanism}=[password=${password}]`);
    await this.#untilKnown(password, true);
  });

  constructor(
    private readonly kafka: SecuredKafka,
    private readonly mechanism: Mechanism,
    /** What it connects with, but for the login. */
    private readonly way: object,
  ) {}

  /** As `Door.revoke`. */
  readonly revoke = async (): Promise<Undo> => {
    const { password } = this.login.credentials();
    await this.#alter('--delete-config', this.mechanism);
    await this.#untilKnown(password, false);
    return () => this.login.change(password);
  };

  async #alter(...what: readonly string[]): Promise<void> {
    await this.kafka.administer([
      'kafka-configs',
      ...['--alter', '--entity-type', 'users', '--entity-name', VISITOR.username],
      ...what,
    ]);
  }

  /** What the broker was told reaches its logins a moment later. */
  async #untilKnown(password: string, known: boolean): Promise<void> {
    const { Kafka, logLevel } = (await importFromProject('kafkajs')) as KafkaJs;
    const sasl = { mechanism: this.mechanism.toLowerCase(), username: VISITOR.username, password };
    const logsIn = async (): Promise<boolean> => {
      const quiet = { logLevel: logLevel.NOTHING, retry: { retries: 0 } };
      const admin = new Kafka({ ...this.way, ...quiet, sasl }).admin();
      try {
        await admin.connect();
        return true;
      } catch {
        return false;
      } finally {
        await admin.disconnect();
      }
    };
    await until(`the user to be ${known ? '' : 'un'}known`, async () => (await logsIn()) === known, {
      withinMs: APPLIED_WITHIN_MS,
      everyMs: 20,
    });
  }
}

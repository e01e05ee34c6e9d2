import type { KafkaConfig } from 'kafkajs';
import type { RunningKafka, ServerCertificate, SignedTokenClaims } from '../src/index.js';
import { client, startNative, write } from './native.js';

const ALICE = { username: 'alice', password: 'alice-secret' };
const CERTIFICATES: readonly [listener: string, kind: ServerCertificate, refusal: RegExp | undefined][] = [
  ['VALID', 'valid', undefined],
  ['EXPIRED', 'expired', /certificate has expired/],
  ['WRONG_NAME', 'wrong-name', /does not match certificate/],
  ['UNKNOWN', 'unknown-authority', /unable to verify|self-signed|local issuer/],
];

describe('a Kafka that lets nobody do what no ACL allows', () => {
  let kafka: RunningKafka;

  beforeAll(async () => {
    kafka = await startNative({
      acls: true,
      users: [ALICE],
      listeners: [
        ...CERTIFICATES.map(
          ([name, serverCertificate]) => ({ name, protocol: 'SSL', serverCertificate }) as const,
        ),
        { name: 'MUTUAL', protocol: 'SSL', clientCertificate: 'required' },
        { name: 'PASSWORD', protocol: 'SASL_PLAINTEXT', mechanisms: ['PLAIN', 'SCRAM-SHA-256'] },
        { name: 'SIGNED', protocol: 'SASL_PLAINTEXT', mechanisms: ['OAUTHBEARER'], tokens: 'signed' },
      ],
      report: () => {},
    });
    await write(kafka.brokers, 'events', 3);
  }, 240_000);
  afterAll(() => kafka?.stop());

  /** The topics that a client is shown: those that it may describe. */
  async function topicsSeen(listener: string, config: Partial<KafkaConfig>): Promise<string[]> {
    const brokers = kafka.listeners[listener]?.brokers ?? [];
    const admin = client(brokers, { ...config, retry: { retries: 0 } }).admin();
    await admin.connect();
    try {
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  }

  const allow = (user: string): Promise<string> =>
    kafka.administer([
      'kafka-acls',
      ...['--add', '--allow-principal', `User:${user}`, '--operation', 'Describe', '--topic', 'events'],
    ]);

  it.each(CERTIFICATES)('shows the certificate of listener %s: %s', async (listener, _kind, refusal) => {
    const answer = topicsSeen(listener, { ssl: { ca: [kafka.tls?.ca ?? ''] } });
    if (refusal === undefined) expect(await answer).toContain('events');
    else await expect(answer).rejects.toThrow(refusal);
  });

  it('shows to whom trusts the other authority only what that one signed', async () => {
    const ssl = { ca: [kafka.tls?.unknownCa ?? ''] };
    expect(await topicsSeen('UNKNOWN', { ssl })).toContain('events');
    await expect(topicsSeen('VALID', { ssl })).rejects.toThrow(/unable to verify|self-signed|local issuer/);
  });

  const mutual = async (...args: Parameters<NonNullable<RunningKafka['tls']>['issueClientCertificate']>) => {
    const { tls } = kafka;
    if (tls === undefined) throw new Error('there is no TLS');
    const { clientCertificate: cert, clientKey: key } = await tls.issueClientCertificate(...args);
    return { ssl: { ca: [tls.ca], cert, key } };
  };

  it('takes the common name of a client certificate for the user', async () => {
    const carol = await mutual('carol');
    expect(await topicsSeen('MUTUAL', carol)).toEqual([]);
    await allow('carol');
    expect(await topicsSeen('MUTUAL', carol)).toEqual(['events']);
    expect(await topicsSeen('MUTUAL', await mutual('dave'))).toEqual([]);
  }, 60_000);

  it.each(['expired', 'unknown-authority'] as const)('refuses a client certificate: %s', async (kind) => {
    await expect(topicsSeen('MUTUAL', await mutual('carol', kind))).rejects.toThrow(/alert certificate/);
  });

  const token = (claims: SignedTokenClaims): Partial<KafkaConfig> => {
    const value = kafka.tokens?.sign(claims) ?? '';
    return { sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) } };
  };

  it('takes tokens that were signed for it', async () => {
    await allow('erin');
    expect(await topicsSeen('SIGNED', token({ subject: 'erin' }))).toEqual(['events']);
    expect(await topicsSeen('SIGNED', token({ subject: 'frank' }))).toEqual([]);
  }, 60_000);

  it.each([
    ['whose time is over', { lifetimeSeconds: -60 }],
    ['of another issuer', { issuer: 'https://elsewhere.invalid' }],
    ['for another audience', { audience: 'elsewhere' }],
    ['with a signature of another key', { forged: true }],
  ])('refuses a token %s', async (_what, claims) => {
    await expect(topicsSeen('SIGNED', token({ subject: 'erin', ...claims }))).rejects.toThrow();
    // Nothing but what is wrong with it keeps it out.
    expect(await topicsSeen('SIGNED', token({ subject: 'erin' }))).toEqual(['events']);
  });

  it('lets the user `admin` do everything, and takes what is allowed back', async () => {
    const as = (user = ALICE): Partial<KafkaConfig> => ({ sasl: { mechanism: 'scram-sha-256', ...user } });
    expect(await topicsSeen('PASSWORD', as(kafka.admin))).toContain('events');
    expect(await topicsSeen('PASSWORD', as())).toEqual([]);
    await allow(ALICE.username);
    expect(await topicsSeen('PASSWORD', as())).toEqual(['events']);
    await kafka.administer([
      'kafka-acls',
      ...['--remove', '--force', '--allow-principal', `User:${ALICE.username}`],
      ...['--operation', 'Describe', '--topic', 'events'],
    ]);
    expect(await topicsSeen('PASSWORD', as())).toEqual([]);
  }, 60_000);
});

import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import type { KafkaConfig, SASLOptions } from 'kafkajs';
import { type RunningKafka, unsecuredToken } from '../src/index.js';
import { client, startNative } from './native.js';

const ALICE = { username: 'alice', password: 'alice-secret' };

describe('listeners', () => {
  const proxies: Server[] = [];
  let passed = 0;
  let kafka: RunningKafka;

  beforeAll(async () => {
    kafka = await startNative({
      users: [ALICE],
      listeners: [
        { name: 'SCRAM_TLS', protocol: 'SASL_SSL', mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-512'] },
        { name: 'PASSWORD', protocol: 'SASL_PLAINTEXT', mechanisms: ['PLAIN', 'OAUTHBEARER'] },
        { name: 'MUTUAL', protocol: 'SSL', clientCertificate: 'required' },
      ],
      advertise: ({ listener, host, port }) =>
        listener === 'CLIENT' ? proxyTo(host, port) : `${host}:${port}`,
      report: () => {},
    });
  }, 120_000);
  afterAll(async () => {
    await kafka.stop();
    for (const proxy of proxies) proxy.close();
  });

  async function proxyTo(host: string, port: number): Promise<string> {
    const proxy = createServer((inbound) => {
      passed += 1;
      const outbound = connect(port, host);
      inbound.pipe(outbound).pipe(inbound);
      for (const socket of [inbound, outbound]) {
        socket.on('error', () => {}).on('close', () => [inbound, outbound].map((one) => one.destroy()));
      }
    });
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, host, resolve));
    const address = proxy.address();
    return `${host}:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Connects and asks for the cluster: the addresses that the listener announces. */
  async function announced(listener: string | undefined, config: Partial<KafkaConfig>): Promise<string[]> {
    const brokers = listener === undefined ? kafka.brokers : (kafka.listeners[listener]?.brokers ?? []);
    // kafkajs keeps the authenticator, with its password, in the object that it is given.
    const own = config.sasl === undefined ? {} : { sasl: { ...config.sasl } };
    const admin = client(brokers, { ...config, ...own, retry: { retries: 0 } }).admin();
    await admin.connect();
    try {
      const cluster = await admin.describeCluster();
      return cluster.brokers.map(({ host, port }) => `${host}:${port}`);
    } finally {
      await admin.disconnect();
    }
  }

  const ssl = (): { ca: string[] } => ({ ca: [kafka.tls?.ca ?? ''] });

  for (const mechanism of ['scram-sha-256', 'scram-sha-512'] as const) {
    it(`let a user in with ${mechanism} over TLS, and nobody with a wrong password`, async () => {
      const user = (password: string): SASLOptions =>
        ({ mechanism, username: ALICE.username, password }) as SASLOptions;
      const login = (password: string): Promise<string[]> =>
        announced('SCRAM_TLS', { ssl: ssl(), sasl: user(password) });
      expect(await login(ALICE.password)).toEqual(kafka.listeners.SCRAM_TLS?.brokers);
      await expect(login('alice-guess')).rejects.toThrow(/SASL|credentials/i);
    });
  }

  it('show a certificate that only the own CA vouches for', async () => {
    const sasl: SASLOptions = { mechanism: 'scram-sha-256', ...ALICE };
    await expect(announced('SCRAM_TLS', { ssl: true, sasl })).rejects.toThrow(/certificate/);
    expect(await readFile(kafka.tls?.caPath ?? '', 'utf8')).toBe(kafka.tls?.ca);
  });

  it('let nobody in without TLS where TLS is asked for', async () => {
    const sasl: SASLOptions = { mechanism: 'scram-sha-256', ...ALICE };
    await expect(announced('SCRAM_TLS', { sasl })).rejects.toThrow();
  });

  it('let a user in with PLAIN, and nobody with a wrong password', async () => {
    const sasl = { mechanism: 'plain', ...ALICE } as const;
    expect(await announced('PASSWORD', { sasl })).toEqual(kafka.listeners.PASSWORD?.brokers);
    await expect(announced('PASSWORD', { sasl: { ...sasl, password: 'no' } })).rejects.toThrow(
      /SASL|credentials/i,
    );
  });

  it('let a client in with an unsigned token', async () => {
    const value = unsecuredToken({ subject: 'alice' });
    const sasl: SASLOptions = { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) };
    expect(await announced('PASSWORD', { sasl })).toEqual(kafka.listeners.PASSWORD?.brokers);
    const expired = unsecuredToken({ subject: 'alice', lifetimeSeconds: -600 });
    const late: SASLOptions = {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: expired }),
    };
    await expect(announced('PASSWORD', { sasl: late })).rejects.toThrow();
  });

  it('let a client in with a certificate of the CA where one is required, and none without', async () => {
    const { clientCertificate: cert, clientKey: key } = kafka.tls ?? {};
    const mutual = { ...ssl(), ...(cert && key ? { cert, key } : {}) };
    expect(await announced('MUTUAL', { ssl: mutual })).toEqual(kafka.listeners.MUTUAL?.brokers);
    await expect(announced('MUTUAL', { ssl: ssl() })).rejects.toThrow();
  });

  it('announce the address of the proxy that stands before them, and another past it', async () => {
    const before = passed;
    expect(await announced(undefined, {})).toEqual(kafka.brokers);
    expect(passed).toBeGreaterThan(before);
    const through = passed;
    const admin = client(kafka.directBrokers).admin();
    await admin.connect();
    await admin.describeCluster();
    await admin.disconnect();
    expect(passed).toBe(through);
  });
});

import { type RunningKafka, startKafka } from '../src/index.js';
import { fetchApiCount } from '../src/kafka/wire.js';
import { startNative } from './native.js';

describe('brokers named in the environment', () => {
  const lines: string[] = [];
  const report = (line: string): void => void lines.push(line);
  const before = { ...process.env };
  let own: RunningKafka;

  beforeAll(async () => {
    own = await startNative({ report: () => {} });
    delete process.env.OMNIBUS_BROKERS;
    process.env.OMNIBUS_KAFKA_BROKERS = own.brokers.join(', ');
  }, 120_000);
  afterAll(async () => {
    for (const name of ['OMNIBUS_BROKERS', 'OMNIBUS_KAFKA_BROKERS']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await own.stop();
  });

  it('are taken before anything else, and outlive stop', async () => {
    const kafka = await startKafka({ report });
    expect(kafka.provider).toBe('environment');
    expect(kafka.brokers).toEqual(own.brokers);
    expect(lines.at(-1)).toMatch(/environment, since OMNIBUS_KAFKA_BROKERS is set/);
    await kafka.stop();
    expect(await fetchApiCount(own.brokers[0] ?? '', 1_000)).toBeGreaterThan(20);
  });

  it('refuse every fault, saying how to have them', async () => {
    const kafka = await startKafka({ report });
    const refused = {
      code: 'FAULT_UNAVAILABLE',
      message: expect.stringContaining('Unset OMNIBUS_KAFKA_BROKERS'),
    };
    for (const fault of ['kill', 'pause', 'resume', 'down', 'start', 'restart'] as const) {
      await expect(kafka[fault]()).rejects.toMatchObject(refused);
    }
    await expect(kafka.administer(['kafka-topics', '--list'])).rejects.toMatchObject(refused);
    expect(() => kafka.node(0)).toThrow('Unset OMNIBUS_KAFKA_BROKERS');
  });

  it('are not silently replaced when they cannot do what is asked for, or do not answer', async () => {
    const asked = { nodes: 3, settings: { a: 'b' }, acls: true, advertise: () => 'x:1', report } as const;
    await expect(startKafka(asked)).rejects.toThrow(/proxy.*ACLs.*settings.*they are 1, not 3/);
    process.env.OMNIBUS_KAFKA_BROKERS = '127.0.0.1:1';
    await expect(startKafka({ report })).rejects.toThrow(/127\.0\.0\.1:1.*ECONNREFUSED/);
  });
});

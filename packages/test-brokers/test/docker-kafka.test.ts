import { dockerWithImage } from '../src/docker-engine.js';
import { type RunningKafka, startKafka } from '../src/index.js';
import { resolveKafkaOptions } from '../src/kafka/kafka-options.js';
import { fetchApiCount, fetchNodes } from '../src/kafka/wire.js';
import { client, countRecords, write } from './native.js';

const { version } = resolveKafkaOptions({});
const lines: string[] = [];
const report = (line: string): void => void lines.push(line);

describe('Docker as the provider', () => {
  const before = { ...process.env };
  beforeAll(() => {
    delete process.env.OMNIBUS_KAFKA_BROKERS;
    process.env.OMNIBUS_BROKERS = 'docker';
  });
  afterAll(() => {
    if (before.OMNIBUS_BROKERS === undefined) delete process.env.OMNIBUS_BROKERS;
    else process.env.OMNIBUS_BROKERS = before.OMNIBUS_BROKERS;
    if (before.OMNIBUS_KAFKA_BROKERS !== undefined) {
      process.env.OMNIBUS_KAFKA_BROKERS = before.OMNIBUS_KAFKA_BROKERS;
    }
  });

  it('runs a broker that can be faulted like a process, or says why there is none', async () => {
    const docker = await dockerWithImage(`apache/kafka:${version}`, report);
    if (!docker.available) {
      expect(docker.reason).toMatch(/Docker/);
      await expect(startKafka({ report })).rejects.toMatchObject({
        code: 'NO_PROVIDER',
        message: expect.stringContaining(docker.reason),
      });
      return;
    }
    const user = { username: 'alice', password: 'alice-secret' };
    const listeners = [{ name: 'SECURE', protocol: 'SASL_SSL' }] as const;
    const containersBefore = await docker.client.container.list();
    const kafka = await startKafka({ report, users: [user], listeners });
    try {
      expect(kafka.describe()).toMatch(/: docker, since /);
      expect(kafka.logs()).toMatch(/Kafka Server started/);
      await faultsWork(kafka);
      await passwordsWork(kafka, user);
    } finally {
      await kafka.stop();
    }
    const left = (await docker.client.container.list()).filter(({ Image }) =>
      Image.startsWith('apache/kafka'),
    );
    expect(left).toHaveLength(
      containersBefore.filter(({ Image }) => Image.startsWith('apache/kafka')).length,
    );
  }, 300_000);

  it('runs three nodes in one network, or says why there are none', async () => {
    const docker = await dockerWithImage(`apache/kafka:${version}`, report);
    if (!docker.available) {
      expect(docker.reason).toMatch(/Docker/);
      return;
    }
    const kafka = await startKafka({ report, nodes: 3 });
    try {
      for (const address of [...kafka.brokers, ...kafka.directBrokers]) {
        expect((await fetchNodes(address, 2_000)).map(({ id }) => id).sort()).toEqual([1, 2, 3]);
      }
      await write(kafka.brokers, 'replicated', 4);
      await kafka.node(2).kill();
      await kafka.node(2).start();
      expect(await countRecords(kafka.brokers, 'replicated')).toBe(4);
    } finally {
      await kafka.stop();
    }
  }, 300_000);
});

async function faultsWork(kafka: RunningKafka): Promise<void> {
  const [address = ''] = kafka.brokers;
  await write(kafka.brokers, 'kept', 6);
  await kafka.pause();
  expect(kafka.node(0).state).toBe('paused');
  await expect(fetchApiCount(address, 300)).rejects.toThrow('did not answer');
  await kafka.resume();
  expect(await fetchApiCount(address, 5_000)).toBeGreaterThan(20);
  await kafka.kill();
  expect(kafka.node(0).state).toBe('down');
  await expect(fetchApiCount(address, 300)).rejects.toThrow();
  await kafka.start();
  expect(await countRecords(kafka.brokers, 'kept')).toBe(6);
  await kafka.pause();
  await kafka.restart();
  expect(await countRecords(kafka.brokers, 'kept')).toBe(6);
}

async function passwordsWork(
  kafka: RunningKafka,
  user: { username: string; password: string },
): Promise<void> {
  const login = async (password: string): Promise<void> => {
    const sasl = { mechanism: 'scram-sha-512', username: user.username, password };
    const admin = client(kafka.listeners.SECURE?.brokers ?? [], {
      ssl: { ca: [kafka.tls?.ca ?? ''] },
      sasl,
      retry: { retries: 0 },
    }).admin();
    await admin.connect();
    await admin.disconnect();
  };
  await login(user.password);
  await expect(login('alice-guess')).rejects.toThrow(/SASL|credentials/i);
}

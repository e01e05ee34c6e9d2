import type { RunningKafka } from '../src/index.js';
import { fetchNodes } from '../src/kafka/wire.js';
import { countRecords, eventually, startNative, write } from './native.js';

describe('a Kafka of three nodes', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startNative({ nodes: 3, report: () => {} });
  }, 120_000);
  afterAll(() => kafka.stop());

  const listed = async (): Promise<number[][]> =>
    Promise.all(
      kafka.directBrokers.map(async (address) =>
        (await fetchNodes(address, 2_000)).map(({ id }) => id).sort(),
      ),
    );

  it('is one cluster whose nodes all know each other when startKafka resolves', async () => {
    expect(kafka.nodes.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(await listed()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('loses nothing when one node is killed, and takes it back', async () => {
    await write(kafka.brokers, 'replicated', 5);
    await kafka.node(0).kill();
    const others = kafka.brokers.slice(1);
    const held = (): Promise<number | undefined> => countRecords(others, 'replicated').catch(() => undefined);
    await eventually('the others take over', async () => (await held()) === 5, 20_000);
    await eventually('the others know that it is gone', async () =>
      (await fetchNodes(kafka.directBrokers[1] ?? '', 2_000)).every(({ id }) => id !== 1),
    );
    await kafka.node(0).start();
    await eventually('all know it again', async () => (await listed()).every((ids) => ids.length === 3));
    expect(() => kafka.node(3)).toThrow('There is no node 3');
  }, 60_000);
});

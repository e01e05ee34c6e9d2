import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { RunningKafka } from '../src/index.js';
import { fetchApiCount, fetchNodes, splitAddress } from '../src/kafka/wire.js';
import { isFree } from '../src/ports.js';
import { countRecords, isRunning, startNative, write } from './native.js';

describe('a Kafka of one node', () => {
  const lines: string[] = [];
  let kafka: RunningKafka;
  let brokers: readonly string[];
  let address: string;

  beforeAll(async () => {
    kafka = await startNative({ partitionsDefault: 1, report: (line) => lines.push(line) });
    brokers = kafka.brokers;
    address = brokers[0] ?? '';
  }, 120_000);
  afterAll(() => kafka.stop());

  it('serves when startKafka resolves, and tells what was started and why so', async () => {
    expect(await fetchApiCount(address, 1_000)).toBeGreaterThan(20);
    expect(await fetchNodes(address, 1_000)).toEqual([{ id: 1, address }]);
    expect(kafka.provider).toBe('native');
    expect(lines.at(-1)).toMatch(/^Kafka \d\S+ at 127\.0\.0\.1:\d+: native, since .*, ready in \d+\.\d s$/);
    expect(kafka.describe()).toContain(address);
    expect(kafka.logs()).toContain('Kafka Server started');
  });

  it('answers nothing while it is paused, and goes on when it is resumed', async () => {
    await kafka.pause();
    expect(kafka.node(0).state).toBe('paused');
    await expect(fetchApiCount(address, 300)).rejects.toThrow('did not answer');
    await kafka.resume();
    expect(kafka.node(0).state).toBe('running');
    expect(await fetchApiCount(address, 5_000)).toBeGreaterThan(20);
  });

  it('keeps its data and its address when it is killed and started', async () => {
    await write(brokers, 'killed', 7);
    const { pid = 0 } = kafka.node(0);
    await kafka.kill();
    expect(kafka.node(0).state).toBe('down');
    expect(await isRunning(pid)).toBe(false);
    await expect(fetchApiCount(address, 300)).rejects.toThrow('ECONNREFUSED');
    await kafka.start();
    expect(kafka.brokers).toEqual(brokers);
    expect(kafka.node(0).pid).not.toBe(pid);
    expect(await countRecords(brokers, 'killed')).toBe(7);
  }, 60_000);

  it('keeps its data when it is paused and then restarted in good order', async () => {
    await write(brokers, 'restarted', 3);
    await kafka.pause();
    await kafka.restart();
    expect(kafka.node(0).state).toBe('running');
    expect(await countRecords(brokers, 'restarted')).toBe(3);
    expect(lines.filter((line) => line.includes('did not end'))).toEqual([]);
  }, 60_000);

  it('leaves neither process, port nor file when it is stopped, and stays stopped', async () => {
    const { pid = 0 } = kafka.node(0);
    const folder = await folderOf(pid);
    await kafka.pause();
    await kafka.stop();
    await kafka.stop();
    expect(await isRunning(pid)).toBe(false);
    for (const broker of [address, ...kafka.directBrokers]) {
      expect(await isFree(splitAddress(broker).port)).toBe(true);
    }
    expect(await readdir(tmpdir())).not.toContain(folder);
    await expect(kafka.start()).rejects.toMatchObject({ code: 'STOPPED' });
  });
});

/** The name of the folder that a broker's process works in. */
async function folderOf(pid: number): Promise<string> {
  const { readlink } = await import('node:fs/promises');
  const folder = (await readlink(`/proc/${pid}/cwd`)).split('/').at(-2) ?? '';
  expect(await readdir(tmpdir())).toContain(folder);
  return folder;
}

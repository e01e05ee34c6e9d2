import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { fetchApiCount } from '../src/kafka/wire.js';
import { startNative } from './native.js';

describe('a start that fails', () => {
  it('shows what the storage tool said, and leaves nothing', async () => {
    const failure = startNative({ settings: { 'log.segment.bytes': 'many' }, report: () => {} });
    await expect(failure).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('log.segment.bytes'),
    });
    const own = (await readdir(tmpdir())).filter((name) => name.startsWith(`omnibus-kafka-${process.pid}-`));
    expect(own).toEqual([]);
  }, 60_000);

  it('shows the last log lines of a broker that ends before it serves', async () => {
    const failure = startNative({ jvmArgs: ['-XX:+NoSuchFlag'], report: () => {} });
    await expect(failure).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/ended \(code 1\) before it was ready[\s\S]*NoSuchFlag/),
    });
  }, 60_000);

  it('shows them for a broker that does not serve in time, too', async () => {
    const failure = startNative({ startTimeoutMs: 50, report: () => {} });
    await expect(failure).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('was not ready after 50 ms'),
    });
  }, 60_000);

  it('begins again with other ports when one is taken meanwhile', async () => {
    const thieves: Server[] = [];
    const lines: string[] = [];
    const kafka = await startNative({
      report: (line) => lines.push(line),
      advertise: async ({ host, port }) => {
        if (thieves.length === 0) {
          const thief = createServer().listen(port, host);
          await once(thief, 'listening');
          thieves.push(thief);
        }
        return `${host}:${port}`;
      },
    });
    try {
      expect(lines.some((line) => line.includes('a port was taken'))).toBe(true);
      expect(await fetchApiCount(kafka.brokers[0] ?? '', 1_000)).toBeGreaterThan(20);
    } finally {
      await kafka.stop();
      for (const thief of thieves) thief.close();
    }
  }, 60_000);
});

import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis, startRedisCluster } from '../src/index.js';
import { natively } from './native.js';

const report = (): void => {};
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Makes a shell script that can be run. */
async function program(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'omnibus-binary-test-'));
  folders.push(folder);
  const path = join(folder, 'redis-server');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('a start of Redis that fails', () => {
  it('shows the last log lines, and leaves nothing', async () => {
    const failure = natively(() => startRedis({ config: ['no-such-directive yes'], report }));
    await expect(failure).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/ended \(code 1\) before it was ready[\s\S]*no-such-directive/),
    });
    const own = (await readdir(tmpdir())).filter((name) => name.startsWith(`omnibus-redis-${process.pid}-`));
    expect(own).toEqual([]);
  });

  it('shows them when the nodes do not become one in time, too', async () => {
    const failure = natively(() =>
      startRedisCluster({ startTimeoutMs: 200, config: ['cluster-allow-replica-migration no'], report }),
    );
    await expect(failure).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/The cluster was not ready after 200 ms[\s\S]*Ready to accept/),
    });
  });

  it('begins again with other ports when one is taken meanwhile', async () => {
    const thief = createServer().listen(0, '127.0.0.1');
    await once(thief, 'listening');
    const { port } = thief.address() as AddressInfo;
    // The real server, but its first start is given the port that is taken.
    const binary = await program(`
      if [ "$1" != --version ] && mkdir "$0.started" 2>/dev/null; then exec redis-server "$@" --port ${port}; fi
      exec redis-server "$@"`);
    const lines: string[] = [];
    try {
      await using redis = await natively(() => startRedis({ binary, report: (line) => lines.push(line) }));
      expect(lines[0]).toMatch(/^Redis \S+: a port was taken meanwhile; starting again with others$/);
      expect(await redis.ask('PING')).toBe('PONG');
    } finally {
      thief.close();
    }
  });

  it('says which binary is none', async () => {
    const binary = await program('echo hello');
    await expect(natively(() => startRedis({ binary, report }))).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(`${binary} is no Redis server`),
    });
  });
});

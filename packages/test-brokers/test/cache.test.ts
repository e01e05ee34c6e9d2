import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, cacheFolder } from '../src/cache.js';

describe('cache', () => {
  let folder: string;
  let before: string | undefined;

  beforeEach(async () => {
    before = process.env.OMNIBUS_CACHE_DIR;
    folder = await mkdtemp(join(tmpdir(), 'omnibus-cache-test-'));
    process.env.OMNIBUS_CACHE_DIR = folder;
  });

  afterEach(async () => {
    if (before === undefined) delete process.env.OMNIBUS_CACHE_DIR;
    else process.env.OMNIBUS_CACHE_DIR = before;
    await rm(folder, { recursive: true });
  });

  it('lies where the environment says, else in the cache folder of the user', () => {
    expect(cacheFolder({ OMNIBUS_CACHE_DIR: '/a' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/omnibus');
    expect(cacheFolder({})).toMatch(/\.cache\/omnibus$/);
  });

  it('builds once for callers at the same time, and tells who waits why', async () => {
    let builds = 0;
    const reports: string[] = [];
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const build = async (target: string): Promise<void> => {
      builds += 1;
      await finished;
      await writeFile(join(target, 'file'), 'content');
    };
    const report = (line: string): void => {
      reports.push(line);
      finish();
    };
    const paths = await Promise.all([cached('thing', build, report), cached('thing', build, report)]);
    expect(builds).toBe(1);
    expect(paths).toEqual([join(folder, 'thing'), join(folder, 'thing')]);
    expect(await readFile(join(folder, 'thing', 'file'), 'utf8')).toBe('content');
    expect(reports).toEqual([expect.stringContaining(`waiting for process ${process.pid}`)]);
    expect(await readdir(folder)).toEqual(['thing']);
  });

  it('leaves nothing of a build that fails, and builds again the next time', async () => {
    const failing = async (target: string): Promise<void> => {
      await writeFile(join(target, 'half'), '');
      throw new Error('cut off');
    };
    await expect(cached('thing', failing, () => {})).rejects.toThrow('cut off');
    expect(await readdir(folder)).toEqual([]);
    await cached(
      'thing',
      (target) => writeFile(join(target, 'whole'), ''),
      () => {},
    );
    expect(await readdir(join(folder, 'thing'))).toEqual(['whole']);
  });

  it('takes the lock of a process that died over', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await writeFile(join(folder, 'thing.lock'), String(child.pid));
    await cached(
      'thing',
      (target) => writeFile(join(target, 'file'), ''),
      () => {},
    );
    expect(await readdir(folder)).toEqual(['thing']);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Report } from '../src/report/report.js';

const MAIN = join(__dirname, '../dist/main.js');
const TIMEOUT_MS = 180_000;

const children = new Set<ChildProcess>();
let folder: string;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program; `seen` is told everything that it has written to standard error so far. */
function bench(
  argv: readonly string[],
  seen?: (stderr: string, child: ChildProcess) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    seen?.(stderr, child);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['kafka', 'Kafka'],
  ['redis', 'Redis'],
])(
  'measures every cell on %s, shows a table and writes a file',
  async (bus, product) => {
    const json = join(folder, `${bus}.json`);
    const run = await bench(['--bus', bus, '--events', '400', '--rounds', '2', '--json', json]);
    expect({ code: run.code, stderr: run.code === 0 ? '' : run.stderr }).toEqual({ code: 0, stderr: '' });

    const report = JSON.parse(await readFile(json, 'utf8')) as Report;
    expect(new Set(report.rows.map(({ cell }) => cell))).toEqual(
      new Set(['E', 'P1', 'P2', 'C1', 'C2', 'L', 'M']),
    );
    expect(report).toMatchObject({ broker: expect.stringContaining(product), rounds: 2, events: 400 });
    for (const { bus, raw, rounds } of report.rows) {
      expect(bus.min).toBeGreaterThan(0);
      expect(raw === undefined || raw.min > 0).toBe(true);
      expect(rounds.bus).toHaveLength(2);
    }
    const { stdout } = run;
    expect(stdout).toContain('Node v');
    for (const { what } of report.rows) expect(stdout).toContain(what);
  },
  TIMEOUT_MS,
);

it(
  'ends in order when it is interrupted',
  async () => {
    const { code, stdout } = await bench(['--bus', 'kafka', '--cells', 'P1'], (stderr, child) => {
      if (stderr.includes('round 1 of') && !child.killed) child.kill('SIGINT');
    });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  },
  TIMEOUT_MS,
);

it('tells misuse by its exit code', async () => {
  const { code, stderr } = await bench(['--cells', 'nonsense']);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('no cell "NONSENSE"') });
});

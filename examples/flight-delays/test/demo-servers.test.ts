import { type DemoProcess, parseAudit, startDemo } from './demo-process.js';

const TIMEOUT_MS = 180_000;

/** Ends what a failed test has left, broker and consumers included. */
const demos = new Set<DemoProcess>();

function startOn(bus: string, ...args: readonly string[]): DemoProcess {
  const demo = startDemo('--bus', bus, ...args);
  demos.add(demo);
  return demo;
}

async function expectClean(demo: DemoProcess): Promise<Record<string, readonly number[]>> {
  const { code } = await demo.ended;
  expect({ code, output: code === 0 ? '' : demo.output() }).toEqual({ code: 0, output: '' });
  return parseAudit(demo.output());
}

async function pidsOf(demo: DemoProcess): Promise<readonly number[]> {
  const [line] = await demo.shows(/^Consumers, each a process.*$/m);
  return [...line.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

afterEach(async () => {
  for (const demo of demos) {
    demo.child.kill('SIGTERM');
    await demo.ended;
  }
  demos.clear();
});

describe.each(['kafka', 'redis', 'rabbitmq'])('The demo on %s', (bus) => {
  it(
    'ends with a clean audit',
    async () => {
      const audit = await expectClean(startOn(bus, '--events', '2000'));
      expect(audit).toMatchObject({
        handled: [2_000, 2_000],
        lost: [0, 0],
        duplicated: [0, 0],
        reordered: [0, 0],
        'dead-lettered': [2, 0],
        replayed: [2, 0],
      });
    },
    TIMEOUT_MS,
  );

  it(
    'ends with a clean audit though a consumer process is killed in the middle',
    async () => {
      const demo = startOn(bus, '--consumers', '3', '--events', '6000');
      const pids = await pidsOf(demo);
      expect(pids).toHaveLength(3);
      await demo.shows(/^ *[1-9]0 % /m);
      process.kill(pids[1] ?? 0, 'SIGKILL');
      await demo.shows(/consumer-2 \(pid \d+\) was killed \(SIGKILL\)/);
      expect(demo.output()).not.toContain('100 %');
      const audit = await expectClean(demo);
      expect(audit).toMatchObject({
        published: [6_000, 6_000],
        handled: [6_000, 6_000],
        lost: [0, 0],
        reordered: [0, 0],
        'dead-lettered': [6, 0],
        replayed: [6, 0],
      });
      expect(demo.output()).toContain('though 1 process was killed');
    },
    TIMEOUT_MS,
  );

  it(
    'leaves nothing behind after Ctrl-C',
    async () => {
      const demo = startOn(bus, '--consumers', '2');
      const pids = await pidsOf(demo);
      await demo.shows(/10 %/);
      demo.child.kill('SIGINT');
      expect(await demo.ended).toEqual({ code: 130, signal: null });
      expect(pids.filter(isRunning)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ConsumerSpec, PublisherSpec } from '../src/child-protocol.js';
import { History } from '../src/history.js';
import { until } from '../src/poll.js';
import { Processes } from '../src/processes.js';

const common = { namespace: 'children', group: 'g', overrides: {} };
const consumer = (name: string): ConsumerSpec => ({ role: 'consumer', name, ...common });
const publisher = (name: string): PublisherSpec => ({ role: 'publisher', name, ...common });
const order = { keys: ['a', 'b'], perKey: 3, from: 1, batch: 2, untilConfirmed: false };

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('Processes', () => {
  let history: History;
  let processes: Processes;

  beforeEach(() => {
    history = new History();
    processes = new Processes({ history, modulePath: join(__dirname, 'memory-bus-under-test.mjs'), env: {} });
  });

  afterEach(() => processes.reap());

  it('tells what a publisher did, and answers calls', async () => {
    const child = await processes.spawn(publisher('p'));
    await expect(child.call('publish', order)).resolves.toBe(6);
    await until('the facts to arrive', () => history.published('ok').length === 6, { withinMs: 5_000 });
    expect(history.published('ok').map((p) => `${p.publisher} ${p.key}#${p.sequence}`)).toEqual([
      'p a#1',
      'p b#1',
      'p a#2',
      'p b#2',
      'p a#3',
      'p b#3',
    ]);
    await expect(child.call('state')).resolves.toBe('ready');
    await expect(child.call('nonsense')).rejects.toThrow('no method nonsense');
  });

  it('has told of a delivery before the handler that kills the process starts', async () => {
    const child = await processes.spawn(consumer('c'));
    await child.call('publish', { ...order, perKey: 1, behaviour: { dieAttempts: 1 } }).catch(() => {});
    const exit = await child.exited;
    expect(exit.signal).toBe('SIGKILL');
    expect(history.deliveries).toMatchObject([{ consumer: 'c', key: 'a', outcome: 'running' }]);
    expect(history.deliveries[0]?.abandonedAtMs).toBeDefined();
  });

  it('kills, and rejects what was asked of the dead', async () => {
    const child = await processes.spawn(consumer('c'));
    const pending = child.call('block', 60_000);
    pending.catch(() => {});
    const exit = await child.kill();
    expect(exit.signal).toBe('SIGKILL');
    expect(isAlive(child.pid)).toBe(false);
    await expect(pending).rejects.toThrow('ended with SIGKILL');
    await expect(child.call('state')).rejects.toThrow('has ended');
  });

  it('freezes and thaws', async () => {
    const child = await processes.spawn(consumer('c'));
    child.freeze();
    let answered = false;
    const answer = child.call('state').then(() => {
      answered = true;
    });
    await until('the process to be stopped', () => stateOf(child.pid) === 'T', { withinMs: 5_000 });
    expect(answered).toBe(false);
    child.thaw();
    await answer;
  });

  it('drains at SIGTERM and ends with 0', async () => {
    const child = await processes.spawn({ ...consumer('c'), drainOnSigterm: true });
    child.signal('SIGTERM');
    await expect(child.exited).resolves.toMatchObject({ code: 0 });
  });

  it('ends by itself once it is let go, when nothing keeps it', async () => {
    const child = await processes.spawn(consumer('c'));
    await child.call('shutdown');
    await child.call('leave');
    await expect(child.exited).resolves.toMatchObject({ code: 0, signal: null });
  });

  it('says why a child could not start', async () => {
    const wrong = new Processes({ history, modulePath: join(__dirname, 'nowhere.mjs'), env: {} });
    await expect(wrong.spawn(consumer('c'))).rejects.toThrow(/failed to start.*nowhere\.mjs/s);
    await wrong.reap();
  });

  it('leaves no process behind, not even a frozen one', async () => {
    const one = await processes.spawn(consumer('one'));
    const two = await processes.spawn(consumer('two'));
    two.freeze();
    await processes.reap();
    expect([one, two].map((child) => isAlive(child.pid))).toEqual([false, false]);
  });
});

function stateOf(pid: number): string | undefined {
  // Linux tells; elsewhere the unanswered call has to do.
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  } catch {
    return 'T';
  }
}

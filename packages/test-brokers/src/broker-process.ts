import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestBrokerError } from './errors.js';
import type { LogRing } from './log-ring.js';
import type { Reaper } from './reaper.js';

/** How a process ended, in words: `code 1`, `signal SIGKILL`. */
export type ExitReason = string;

/** A broker as a child process. It does not keep this process alive; the reaper ends it with this process. */
export interface BrokerProcess {
  readonly pid: number;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ExitReason>;
  readonly running: boolean;
  /** SIGKILL; works on a paused process too. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL when that has not ended it after `graceMs`. Resolves with what it took. */
  terminate(graceMs: number): Promise<'terminated' | 'killed'>;
  /** SIGSTOP. Resolves when no thread of it runs any more. */
  pause(): Promise<void>;
  /** SIGCONT. */
  resume(): void;
}

/** What `launch` needs to know. */
export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The name it is called by. @default `command` */
  readonly argv0?: string | undefined;
  readonly cwd: string;
  readonly log: LogRing;
  readonly reaper: Reaper;
}

/** Starts a program whose output goes to the log, in a session of its own so that Ctrl-C does not reach it. */
export async function launch({
  command,
  args,
  argv0,
  cwd,
  log,
  reaper,
}: LaunchOptions): Promise<BrokerProcess> {
  const child = spawn(command, args, { cwd, argv0, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw await spawnFailure(child, command);
  reaper.watch(pid);
  collect(child, log);
  let running = true;
  const exited = new Promise<ExitReason>((resolve) => {
    child.once('exit', () => {
      running = false;
      reaper.forget(pid);
    });
    // Its last words may arrive after its end; they belong to the error that tells of it.
    child.once('close', (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
  const end = async (): Promise<void> => {
    hold(child, true);
    child.kill('SIGKILL');
    await exited;
  };
  return {
    pid,
    exited,
    get running() {
      return running;
    },
    kill: end,
    terminate: async (graceMs) => {
      hold(child, true);
      child.kill('SIGTERM');
      child.kill('SIGCONT');
      if (await endsWithin(exited, graceMs)) return 'terminated';
      await end();
      return 'killed';
    },
    pause: async () => {
      child.kill('SIGSTOP');
      await allThreadsStopped(pid);
    },
    resume: () => void child.kill('SIGCONT'),
  };
}

async function spawnFailure(child: ChildProcess, command: string): Promise<TestBrokerError> {
  const cause = await new Promise<Error>((resolve) => child.once('error', resolve));
  return new TestBrokerError('START_FAILED', `${command} could not be started: ${cause.message}`, { cause });
}

function collect(child: ChildProcess, log: LogRing): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    stream.setEncoding('utf8').on('data', (chunk: string) => log.append(chunk));
  }
  hold(child, false);
}

/** Whether the child keeps this process alive: its output does so, too, and ends after it. */
function hold(child: ChildProcess, held: boolean): void {
  const method = held ? 'ref' : 'unref';
  child[method]();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream[method]();
}

async function endsWithin(exited: Promise<ExitReason>, timeoutMs: number): Promise<boolean> {
  const late = new AbortController();
  const timeout = sleep(timeoutMs, false, { signal: late.signal }).catch(() => false);
  const ended = await Promise.race([exited.then(() => true), timeout]);
  late.abort();
  return ended;
}

// The kernel delivers SIGSTOP when a thread of the process is next scheduled. On a busy machine the broker
// could still answer a request that was sent after `pause()` returned.
async function allThreadsStopped(pid: number): Promise<void> {
  if (process.platform !== 'linux') return;
  const deadline = Date.now() + 5_000;
  while (!(await threadsStopped(pid))) {
    if (Date.now() > deadline)
      throw new TestBrokerError('FAULT_UNAVAILABLE', `process ${pid} did not stop on SIGSTOP`);
    await sleep(1);
  }
}

async function threadsStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads) {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => '');
    // The state follows the command's name in parentheses, which may itself hold parentheses.
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    if (state !== '' && !'TtZX'.includes(state)) return false;
  }
  return true;
}

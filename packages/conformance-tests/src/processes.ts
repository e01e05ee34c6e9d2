import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { type ChildSpec, type FromChild, HISTORY_FD, type ToChild } from './child-protocol.js';
import { monotonicMs } from './clock.js';
import type { History, HistoryEntry } from './history.js';
import { within } from './poll.js';

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly atMs: number;
}

/** What `Processes` needs. */
export interface ProcessesOptions {
  readonly history: History;
  /** The module that exports `create`. */
  readonly modulePath: string | URL;
  readonly env: Readonly<Record<string, string>>;
}

const START_TIMEOUT_MS = 60_000;
const LEAVE_TIMEOUT_MS = 2_000;
const OUTPUT_KEPT_CHARS = 4_000;

function hostPath(): string {
  // Built, this file lies beside the host; in the package's own tests it is read from `src`.
  const beside = join(__dirname, 'child-host.js');
  return existsSync(beside) ? beside : join(__dirname, '..', 'dist', 'child-host.js');
}

/** A consumer or publisher in a process of its own. */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended and all it had to tell has been read. */
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #history: History;
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextCall = 1;
  #output = '';
  #ended = false;
  #frozen = false;
  readonly #ready: Promise<void>;

  /** @internal Children are made by `Processes`. */
  constructor(child: ChildProcess, name: string, history: History) {
    this.name = name;
    this.pid = child.pid ?? 0;
    this.#process = child;
    this.#history = history;
    this.#keepOutput(child.stdout);
    this.#keepOutput(child.stderr);
    const told = this.#readHistory(child.stdio[HISTORY_FD] as Readable);
    this.exited = new Promise<ChildExit>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#ended = true;
        const exit = { code, signal, atMs: monotonicMs() };
        void told.then(() => {
          history.apply({ kind: 'gone', consumer: name, atMs: exit.atMs });
          resolve(exit);
        });
      });
    });
    this.#ready = this.#awaitReady();
    this.#ready.catch(() => {});
  }

  /** Resolves when the child does its work; rejects with its output when it could not start. */
  ready(): Promise<void> {
    return within(`child ${this.name} to be ready`, this.#ready, START_TIMEOUT_MS);
  }

  /** Whether it still runs. */
  get running(): boolean {
    return !this.#ended;
  }

  /** Its last output, for failure messages. */
  get output(): string {
    return this.#output;
  }

  /** Calls a method of its role. */
  async call<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    if (this.#ended) throw new Error(`child ${this.name} has ended`);
    const id = this.#nextCall;
    this.#nextCall += 1;
    const answer = new Promise<unknown>((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    this.#tell({ kind: 'call', id, method, args });
    return (await answer) as T;
  }

  /** `SIGKILL`. Resolves when it is dead and everything it told is in the history. */
  async kill(): Promise<ChildExit> {
    this.#process.kill('SIGKILL');
    return this.exited;
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Whether it answers: it runs, and is not frozen. */
  get awake(): boolean {
    return !this.#ended && !this.#frozen;
  }

  /** `SIGSTOP`: alive for the operating system, dead for everybody else. What it was doing no longer counts as running. */
  freeze(): void {
    this.#frozen = true;
    this.#process.kill('SIGSTOP');
    this.#history.apply({ kind: 'gone', consumer: this.name, atMs: monotonicMs() });
  }

  /** `SIGCONT`. */
  thaw(): void {
    this.#frozen = false;
    this.#process.kill('SIGCONT');
  }

  /** @internal */
  start(modulePath: string, spec: ChildSpec): void {
    this.#tell({ kind: 'start', modulePath, spec });
  }

  #tell(message: ToChild): void {
    this.#process.send(message, (error) => {
      // The exit is noticed and told by itself.
      if (error) this.#output += `\n(could not be told ${message.kind}: ${error.message})`;
    });
  }

  #awaitReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (why: string): void => reject(new Error(`child ${this.name} ${why}\n${this.#output}`));
      this.#process.on('message', (message: FromChild) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'failed') ended(`failed to start: ${message.error}`);
        else this.#settleCall(message);
      });
      this.#process.once('exit', (code, signal) => {
        ended(`ended with ${signal ?? code}`);
        for (const { reject: refuse } of this.#calls.values())
          refuse(new Error(`child ${this.name} ended with ${signal ?? code}\n${this.#output}`));
        this.#calls.clear();
      });
    });
  }

  #settleCall(message: FromChild & { kind: 'result' }): void {
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.error === undefined) call?.resolve(message.value);
    else call?.reject(new Error(`child ${this.name}: ${message.error}`));
  }

  async #readHistory(pipe: Readable): Promise<void> {
    for await (const line of createInterface({ input: pipe })) {
      // The last line of a killed child may be cut: a fact that was not told completely was not told.
      if (line.endsWith('}')) this.#history.apply(JSON.parse(line) as HistoryEntry);
    }
  }

  #keepOutput(stream: Readable | null): void {
    stream?.on('data', (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-OUTPUT_KEPT_CHARS);
    });
  }
}

/** The children of one test. */
export class Processes {
  readonly #options: ProcessesOptions;
  readonly #children: Child[] = [];

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Starts a child and waits until it works. */
  async spawn(spec: ChildSpec, env: Readonly<Record<string, string>> = {}): Promise<Child> {
    const child = this.launch(spec, env);
    await child.ready();
    return child;
  }

  /** Starts a child and does not wait: for children that die early. */
  launch(spec: ChildSpec, env: Readonly<Record<string, string>> = {}): Child {
    const spawned = fork(hostPath(), [], {
      env: { ...process.env, ...this.#options.env, ...env },
      execArgv: [],
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'ipc'],
    });
    const child = new Child(spawned, spec.name, this.#options.history);
    this.#children.push(child);
    const { modulePath } = this.#options;
    child.start(modulePath instanceof URL ? fileURLToPath(modulePath) : modulePath, spec);
    return child;
  }

  /**
   * Ends what still runs, frozen ones too, and waits until all are gone. Who can leaves its group first: the broker would
   * keep a member that was killed until its lease has run out, and what belongs to it as long.
   */
  async reap(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.awake)
          await within('a child to leave', child.call('shutdown', 0), LEAVE_TIMEOUT_MS).catch(() => {});
        if (child.running) await child.kill();
      }),
    );
  }
}

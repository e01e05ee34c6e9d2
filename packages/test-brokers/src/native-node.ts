import { type BrokerNode, type NodeIdentity, type NodeState, SHOWN_LOG_LINES } from './broker-node.js';
import { type BrokerProcess, launch } from './broker-process.js';
import { LogRing } from './log-ring.js';
import { awaitReady } from './readiness.js';
import type { Reaper } from './reaper.js';

const GRACE_MS = 20_000;

/** What a node as a process is made of. */
export interface NativeNodeSpec extends NodeIdentity {
  readonly command: string;
  readonly args: readonly string[];
  /** The name the program is called by. @default `command` */
  readonly argv0?: string;
  readonly folder: string;
  readonly reaper: Reaper;
}

/** A broker as a process of this machine. */
export class NativeNode implements BrokerNode {
  readonly #spec: NativeNodeSpec;
  readonly #log = new LogRing();
  #process: BrokerProcess | undefined;
  #starting: Promise<void> | undefined;
  #paused = false;
  #expected = false;

  constructor(spec: NativeNodeSpec) {
    this.#spec = spec;
  }

  get id(): number {
    return this.#spec.id;
  }

  get state(): NodeState {
    if (this.#process?.running !== true) return 'down';
    return this.#paused ? 'paused' : 'running';
  }

  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  logs(): string {
    return this.#log.text();
  }

  start(): Promise<void> {
    this.#starting ??= this.#serve().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async down(): Promise<void> {
    const broker = this.#endExpected();
    if (broker === undefined) return;
    const how = await broker.terminate(GRACE_MS);
    if (how === 'killed') this.#spec.report(`${this.#spec.name} did not end within ${GRACE_MS} ms; killed`);
  }

  async kill(): Promise<void> {
    await this.#endExpected()?.kill();
  }

  async pause(): Promise<void> {
    if (this.state !== 'running') return;
    this.#paused = true;
    await this.#process?.pause();
  }

  async resume(): Promise<void> {
    this.#paused = false;
    this.#process?.resume();
  }

  async #serve(): Promise<void> {
    if (this.state === 'paused') await this.resume();
    if (this.#process?.running !== true) await this.#launch();
    const broker = this.#process;
    if (broker === undefined) return;
    await awaitReady({
      probe: this.#spec.probe,
      exited: broker.exited,
      timeoutMs: this.#spec.startTimeoutMs,
      what: this.#spec.name,
      lastLogLines: () => this.#log.lastLines(SHOWN_LOG_LINES),
    });
  }

  async #launch(): Promise<void> {
    const { command, args, argv0, folder, reaper, report, name } = this.#spec;
    this.#expected = false;
    const broker = await launch({ command, args, argv0, cwd: folder, log: this.#log, reaper });
    this.#process = broker;
    void broker.exited.then((reason) => {
      // A start that fails tells of it in its error.
      if (this.#expected || this.#starting !== undefined) return;
      report(`${name} ended by itself (${reason}):\n${this.#log.lastLines(SHOWN_LOG_LINES)}`);
    });
  }

  /** Marks the end that follows as wanted, and hands out the process if there is one to end. */
  #endExpected(): BrokerProcess | undefined {
    this.#expected = true;
    this.#paused = false;
    return this.#process?.running === true ? this.#process : undefined;
  }
}

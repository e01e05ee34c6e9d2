import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BrokerProcess, launch } from '../broker-process.js';
import { TestBrokerError } from '../errors.js';
import { LogRing } from '../log-ring.js';
import { awaitReady } from '../readiness.js';
import type { Reaper } from '../reaper.js';
import { runCommand } from '../run-command.js';
import { BROKER_CLASS, javaArguments, type KafkaJava, STORAGE_CLASS } from './kafka-java.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { scramArguments } from './listeners.js';
import type { KafkaNode, NodeState } from './running-kafka.js';
import { fetchNodes } from './wire.js';

const PROBE_TIMEOUT_MS = 2_000;
const GRACE_MS = 20_000;
const SHOWN_LOG_LINES = 30;

/** What a node of processes is made of. */
export interface NativeNodeSpec {
  readonly id: number;
  readonly folder: string;
  readonly properties: string;
  /** `host:port` of its plain listener as it is bound. */
  readonly clientAddress: string;
  readonly kafka: KafkaJava;
  readonly options: ResolvedKafkaOptions;
  readonly reaper: Reaper;
}

/** A broker as a process of this machine. */
export class NativeNode implements KafkaNode {
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

  /** Writes its configuration and formats its storage; once, before the first start. */
  async format(clusterId: string): Promise<void> {
    const { folder, properties, kafka, options, reaper } = this.#spec;
    await mkdir(join(folder, 'tmp'), { recursive: true });
    await writeFile(this.#propertiesPath, properties);
    const scram = scramArguments(options.listeners, options.users);
    const args = this.#arguments(STORAGE_CLASS, [
      'format',
      '-t',
      clusterId,
      '-c',
      this.#propertiesPath,
      ...scram,
    ]);
    const { code, output } = await runCommand(kafka.java.command, args, { cwd: folder, reaper });
    if (code === 0) return;
    const lines = output.trimEnd().split('\n').slice(-SHOWN_LOG_LINES).join('\n');
    throw new TestBrokerError('START_FAILED', `${this.#name} could not format its storage:\n${lines}`);
  }

  start(): Promise<void> {
    this.#starting ??= this.#serve().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #serve(): Promise<void> {
    if (this.state === 'paused') await this.resume();
    if (this.#process?.running !== true) await this.#launch();
    const broker = this.#process;
    if (broker === undefined) return;
    await awaitReady({
      probe: async () => {
        const nodes = await fetchNodes(this.#spec.clientAddress, PROBE_TIMEOUT_MS);
        if (!nodes.some(({ id }) => id === this.id)) throw new Error('the quorum has not admitted it yet');
      },
      exited: broker.exited,
      timeoutMs: this.#spec.options.startTimeoutMs,
      what: this.#name,
      lastLogLines: () => this.#log.lastLines(SHOWN_LOG_LINES),
    });
  }

  async down(): Promise<void> {
    const broker = this.#endExpected();
    if (broker === undefined) return;
    const how = await broker.terminate(GRACE_MS);
    if (how === 'killed')
      this.#spec.options.report(`${this.#name} did not end within ${GRACE_MS} ms; killed`);
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

  async #launch(): Promise<void> {
    const { folder, kafka, reaper, options } = this.#spec;
    this.#expected = false;
    const broker = await launch({
      command: kafka.java.command,
      args: this.#arguments(BROKER_CLASS, [this.#propertiesPath]),
      cwd: folder,
      log: this.#log,
      reaper,
    });
    this.#process = broker;
    void broker.exited.then((reason) => {
      // A start that fails tells of it in its error.
      if (this.#expected || this.#starting !== undefined) return;
      options.report(`${this.#name} ended by itself (${reason}):\n${this.#log.lastLines(SHOWN_LOG_LINES)}`);
    });
  }

  /** Marks the end that follows as wanted, and hands out the process if there is one to end. */
  #endExpected(): BrokerProcess | undefined {
    this.#expected = true;
    this.#paused = false;
    return this.#process?.running === true ? this.#process : undefined;
  }

  #arguments(program: string, programArguments: readonly string[]): string[] {
    const { kafka, options, folder } = this.#spec;
    const { heapMb, jvmArgs } = options;
    return javaArguments(kafka, program, programArguments, {
      heapMb,
      jvmArgs: program === BROKER_CLASS ? jvmArgs : [],
      temporaryFolder: join(folder, 'tmp'),
    });
  }

  get #propertiesPath(): string {
    return join(this.#spec.folder, 'server.properties');
  }

  get #name(): string {
    const { options, id } = this.#spec;
    return `Kafka ${options.version}${options.nodes === 1 ? '' : `, node ${id}`}`;
  }
}

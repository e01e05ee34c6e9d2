import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { BusConnection } from '../create-bus.js';
import type { SaveRun } from '../handler-run.js';
import type { BusCounters } from './counters.js';
import type { FromConsumer, ToConsumer } from './messages.js';

/** What a consumer process is started with. */
export interface ConsumerProcessOptions {
  readonly name: string;
  readonly connection: BusConnection;
  readonly repaired: boolean;
  readonly save: SaveRun;
}

/** How a consumer process ended. */
export interface Ending {
  /** Present when it left its groups in good order. */
  readonly counters: readonly BusCounters[] | undefined;
  readonly signal: string | undefined;
  /** Present when it ended by itself and should not have. */
  readonly failure: string | undefined;
}

const STOP_TIMEOUT_MS = 20_000;
const KEPT_ERROR_CHARACTERS = 4_000;

/** A consumer process, as the demo sees it. */
export class ConsumerProcess {
  readonly name: string;
  /** Resolves when it handles events, or has ended. */
  readonly ready: Promise<unknown>;
  /** Resolves when it has ended and everything that it told has been read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<FromConsumer['type'], () => void>();
  #counters: readonly BusCounters[] | undefined;
  #failure: string | undefined;
  #errorOutput = '';

  constructor({ name, save, ...start }: ConsumerProcessOptions) {
    this.name = name;
    this.#child = fork(new URL('./consumer-process.js', import.meta.url), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.on('message', (message: FromConsumer) => this.#hear(message, save));
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#errorOutput = (this.#errorOutput + data.toString()).slice(-KEPT_ERROR_CHARACTERS);
    });
    this.ended = this.#end();
    this.ready = this.#answered('ready');
    this.#tell({ type: 'start', name, ...start });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when its handlers have the fix, or when it has ended. */
  async deployRepair(): Promise<void> {
    const repaired = this.#answered('repaired');
    this.#tell({ type: 'repair' });
    await repaired;
  }

  /** Lets it leave its groups; after a while without success it is killed. */
  async stop(): Promise<void> {
    this.#tell({ type: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #hear(message: FromConsumer, save: SaveRun): void {
    if (message.type === 'run') return void save(message.run);
    if (message.type === 'stopped') this.#counters = message.counters;
    if (message.type === 'failed') this.#failure = message.message;
    this.#waiting.get(message.type)?.();
  }

  #tell(message: ToConsumer): void {
    // It may have died a moment ago: then `ended` says so.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #answered(type: FromConsumer['type']): Promise<unknown> {
    const answer = new Promise<void>((resolve) => this.#waiting.set(type, resolve));
    return Promise.race([answer, this.ended]);
  }

  async #end(): Promise<Ending> {
    try {
      // The channel closes only after the last message was read, which may be later than the process's end.
      const [[code, signal]] = await Promise.all([
        once(this.#child, 'exit') as Promise<[number | null, string | null]>,
        once(this.#child, 'disconnect'),
      ]);
      const expected = signal !== null || this.#counters !== undefined;
      const failure = this.#failure ?? `exit code ${code}\n${this.#errorOutput}`;
      return {
        counters: this.#counters,
        signal: signal ?? undefined,
        failure: expected ? undefined : failure,
      };
    } catch (error) {
      return { counters: undefined, signal: undefined, failure: `it could not be started: ${String(error)}` };
    }
  }
}

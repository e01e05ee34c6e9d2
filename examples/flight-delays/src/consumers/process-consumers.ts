import { abortable } from '../abortable.js';
import type { BusConnection } from '../create-bus.js';
import type { SaveRun } from '../handler-run.js';
import { ConsumerProcess, type Ending } from './consumer-handle.js';
import type { Consumers } from './consumers.js';
import type { BusCounters } from './counters.js';

/** What consumer processes need. */
export interface ProcessConsumersOptions {
  readonly connection: BusConnection;
  readonly count: number;
  readonly save: SaveRun;
  readonly say: (text: string) => void;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

/** A consumer that is killed is replaced, but not for ever. */
const MAX_REPLACEMENTS = 10;

/** Consumers as processes of their own, which compete for the partitions. Resolves when all handle events. */
export async function startProcessConsumers(options: ProcessConsumersOptions): Promise<Consumers> {
  const consumers = new ProcessConsumers(options);
  try {
    await abortable(consumers.start(), options.signal);
    return consumers;
  } catch (error) {
    await consumers.kill();
    throw error;
  }
}

class ProcessConsumers implements Consumers {
  readonly died: Set<string> = new Set();
  readonly failed: Promise<never>;
  readonly #running = new Set<ConsumerProcess>();
  readonly #counters: BusCounters[] = [];
  #started = 0;
  #repaired = false;
  #stopping = false;
  #fail: (error: Error) => void = () => undefined;

  constructor(private readonly options: ProcessConsumersOptions) {
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Who waits for something races it; until then nobody listens.
    this.failed.catch(() => undefined);
  }

  async start(): Promise<void> {
    const first = Array.from({ length: this.options.count }, () => this.#spawn());
    await Promise.race([Promise.all(first.map(({ ready }) => ready)), this.failed]);
    const members = first.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
    this.options.say(`Consumers, each a process of both groups: ${members}`);
  }

  async deployRepair(): Promise<void> {
    this.#repaired = true;
    await Promise.all([...this.#running].map((consumer) => consumer.deployRepair()));
  }

  async stop(): Promise<readonly BusCounters[]> {
    this.#stopping = true;
    await Promise.race([Promise.all([...this.#running].map((consumer) => consumer.stop())), this.failed]);
    return this.#counters;
  }

  async kill(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#running].map((consumer) => consumer.kill()));
  }

  #spawn(): ConsumerProcess {
    const { connection, save } = this.options;
    this.#started += 1;
    const name = `consumer-${this.#started}`;
    const consumer = new ConsumerProcess({ name, connection, save, repaired: this.#repaired });
    this.#running.add(consumer);
    void consumer.ended.then((ending) => this.#ended(consumer, ending));
    return consumer;
  }

  #ended(consumer: ConsumerProcess, { counters, signal, failure }: Ending): void {
    this.#running.delete(consumer);
    if (counters) this.#counters.push(...counters);
    else this.died.add(consumer.name);
    if (failure !== undefined) this.#fail(new Error(`${consumer.name} failed: ${failure}`));
    else if (!this.#stopping) {
      const how = counters ? 'left its groups' : `was killed (${signal})`;
      this.#replace(`${consumer.name} (pid ${consumer.pid}) ${how}`);
    }
  }

  #replace(what: string): void {
    if (this.#started - this.options.count >= MAX_REPLACEMENTS) {
      if (this.#running.size === 0) this.#fail(new Error(`${what}; none is left`));
      else this.options.say(`${what}: the other ${this.#running.size} go on`);
      return;
    }
    const others = this.#running.size;
    const replacement = this.#spawn();
    const rest =
      others === 0 ? 'nobody is left' : others === 1 ? 'the other goes on' : `the other ${others} go on`;
    this.options.say(`${what}: ${rest}, ${replacement.name} (pid ${replacement.pid}) takes its place`);
  }
}

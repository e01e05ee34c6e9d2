import {
  type EventBusOptions,
  type ResolvedEventBusOptions,
  resolveEventBusOptions,
} from '../../src/options.js';
import { Random } from '../random.js';
import { SimulatedBroker } from './broker.js';
import { Coordinator } from './coordinator.js';
import { Model } from './model.js';
import type { CommitStyle, Scenario, Step } from './scenario.js';
import type { Surroundings } from './surroundings.js';
import { type Life, SimulatedTime, START_MS } from './time.js';

const OPTIONS = {
  consumerName: 'simulated',
  retry: { baseDelayMs: 5, maxDelayMs: 30 },
  handlerTimeoutMs: 40,
  handOverTimeoutMs: 15,
  shutdownTimeoutMs: 80,
  publish: { timeoutMs: 60 },
  tracing: { enabled: false },
  metrics: { enabled: false },
} satisfies EventBusOptions;

/** Checking them takes longer than many a scenario. */
const RESOLVED = new Map<string, ResolvedEventBusOptions>();

/** Everything of one simulation. */
export class World implements Surroundings {
  readonly time: SimulatedTime = new SimulatedTime();
  readonly random: Random;
  readonly model: Model;
  readonly broker: SimulatedBroker;
  /** What the handlers do with an event, by its id. */
  readonly plans: Map<string, readonly (readonly Step[])[]> = new Map<string, readonly (readonly Step[])[]>();
  /** How often a handler was called for an event. */
  readonly calls: Map<string, number> = new Map<string, number>();
  private readonly coordinators = new Map<string, Coordinator>();
  private readonly names = new Map<Life, string>();

  constructor(
    readonly scenario: Scenario,
    isTraced: boolean,
  ) {
    const { seed, partitions, handlers, concurrency, moreInFlight, maxRetries } = scenario;
    this.random = new Random(seed);
    this.model = new Model({
      maxAttempts: maxRetries + 1,
      concurrency,
      maxInFlight: concurrency + moreInFlight,
      handlers,
      isTraced,
      nowMs: () => this.time.nowMs,
    });
    this.broker = new SimulatedBroker(partitions, () => START_MS + this.time.nowMs, this.model);
    for (const group of new Set(scenario.consumers))
      this.coordinators.set(group, new Coordinator(this, this.broker.addGroup(group)));
  }

  get latencyMs(): number {
    return this.scenario.latencyMs;
  }

  get fetchSize(): number {
    return this.scenario.fetchSize;
  }

  get commits(): CommitStyle {
    return this.scenario.commits;
  }

  coordinatorOf(group: string): Coordinator {
    return this.coordinators.get(group) as Coordinator;
  }

  optionsOf(group: string): ResolvedEventBusOptions {
    const { concurrency, moreInFlight, maxRetries } = this.scenario;
    const name = `${group} ${concurrency} ${moreInFlight} ${maxRetries}`;
    const known = RESOLVED.get(name);
    if (known) return known;
    const options = resolveEventBusOptions({
      ...OPTIONS,
      group,
      concurrency,
      maxInFlight: concurrency + moreInFlight,
      retry: { ...OPTIONS.retry, maxRetries },
    });
    RESOLVED.set(name, options);
    return options;
  }

  name(life: Life, name: string): void {
    this.names.set(life, name);
  }

  nameOf(life: Life): string {
    return this.names.get(life) ?? '';
  }
}

import { partitionOf } from '../../src/partition.js';
import { SimulatedProcess } from './process.js';
import type { Action, Scenario } from './scenario.js';
import { World } from './world.js';

/** Until then the scenario acts, and things go wrong; afterwards everything must come to rest. */
const TROUBLE_MS = 450;
const REST_WITHIN_MS = 60_000;
const MOST_STEPS = 20_000;
const STATS_EVERY_STEPS = 64;
const GARBAGE = Buffer.from('{"no":"event"}');

/** How a simulation ended. */
export interface Verdict {
  readonly violations: readonly string[];
  /** What happened, when it was asked for. */
  readonly story: readonly string[];
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Plays a scenario to its end, against the reference model. */
export async function simulate(scenario: Scenario, isTraced = false): Promise<Verdict> {
  const simulation = new Simulation(scenario, isTraced);
  await simulation.play();
  const { violations, story, counts } = simulation.world.model;
  counts.set('steps', simulation.steps);
  return { violations, story, counts };
}

class Simulation {
  readonly world: World;
  private readonly processes: readonly SimulatedProcess[];
  private readonly publisher: SimulatedProcess;
  private events = 0;
  steps = 0;

  constructor(scenario: Scenario, isTraced: boolean) {
    const world = new World(scenario, isTraced);
    this.world = world;
    this.publisher = new SimulatedProcess(world, 'publisher', undefined);
    this.processes = [
      ...scenario.consumers.map((group, index) => new SimulatedProcess(world, `p${index}`, group)),
      this.publisher,
    ];
    for (const action of scenario.actions) world.time.after(action.atMs, () => this.act(action));
  }

  async play(): Promise<void> {
    await this.until(TROUBLE_MS, () => false);
    for (const process of this.processes) process.heal();
    await this.until(TROUBLE_MS + REST_WITHIN_MS, () => this.isAtRest);
    if (!this.isAtRest) this.world.model.violated(`no rest: ${this.whatIsOpen()}`);
    for (const process of this.processes) process.restart(Number.POSITIVE_INFINITY);
    await this.until(this.world.time.nowMs + 2 * REST_WITHIN_MS, () =>
      this.processes.every(({ isShut }) => isShut),
    );
  }

  private async until(timeMs: number, isOver: () => boolean): Promise<void> {
    const { time, model } = this.world;
    while (!isOver() && model.violations.length === 0 && (await time.step(timeMs))) {
      this.steps += 1;
      if (this.steps % STATS_EVERY_STEPS === 0) for (const process of this.processes) process.checkStats();
      if (this.steps > MOST_STEPS) return model.violated(`busy without end: ${this.whatIsOpen()}`);
    }
  }

  private get isAtRest(): boolean {
    return (
      this.world.broker.slots.every(({ isDone }) => isDone) &&
      this.processes.every(({ isDown, published }) => !isDown && published.pending === 0)
    );
  }

  private whatIsOpen(): string {
    const slots = this.world.broker.slots.filter(({ isDone }) => !isDone);
    return [
      ...slots.map(({ group, partition, next }) => `${group} stands at ${partition}/${next}`),
      ...this.processes
        .filter(({ published }) => published.pending > 0)
        .map(({ published }) => `${published.pending} publishes have no answer`),
    ].join(', ');
  }

  private act(action: Action): void {
    if (action.kind === 'publish') {
      this.publisher.publish(
        action.events.map((event) => {
          this.events += 1;
          return { id: `e${this.events}`, event };
        }),
      );
    } else if (action.kind === 'append-garbage') this.appendGarbage(action.key);
    else if ('slot' in action) this.moveSlot(action);
    else this.strike(action);
  }

  private appendGarbage(key: string): void {
    const { broker } = this.world;
    broker.append(
      { partition: partitionOf(key, broker.partitions), key, value: GARBAGE, headers: {} },
      undefined,
    );
  }

  private moveSlot({ kind, slot: index, afterMs }: Extract<Action, { slot: number }>): void {
    const { slots } = this.world.broker;
    const slot = slots[index % slots.length];
    if (!slot) return;
    const coordinator = this.world.coordinatorOf(slot.group);
    if (kind === 'seize') coordinator.seize(slot, afterMs);
    else coordinator.move(slot, kind === 'move-not');
  }

  private strike(action: Extract<Action, { who: number }>): void {
    const process = this.processes[action.who % this.processes.length] as SimulatedProcess;
    const { kind, forMs } = action;
    if (kind === 'trouble')
      process.trouble({ kind: action.with, oneIn: action.oneIn, untilMs: this.world.time.nowMs + forMs });
    else if (kind === 'crash') process.crash(forMs);
    else if (kind === 'restart') process.restart(forMs);
    else if (kind === 'stop-consuming') process.stopConsuming(forMs);
    else if (kind === 'pause') process.pause(forMs);
    else if (kind === 'freeze') process.freeze(forMs);
    else process.cut(forMs);
  }
}

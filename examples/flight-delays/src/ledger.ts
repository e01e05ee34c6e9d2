import { DelayBoard } from './delay-board.js';
import type { GroupName } from './groups.js';
import type { HandlerRun } from './handler-run.js';
import { RouteCount } from './route-count.js';

/** The demo's data store: the views of both groups, and every run of a handler. */
export class Ledger {
  readonly board: DelayBoard = new DelayBoard();
  readonly routes: RouteCount = new RouteCount();
  readonly runs: HandlerRun[] = [];
  /** When the latest run arrived, by `performance.now()`. */
  lastRunAtMs: number = performance.now();
  /** Events that failed at least once, by group. */
  readonly #failed: Readonly<Record<GroupName, Set<string>>> = {
    'delay-board': new Set(),
    'route-count': new Set(),
  };

  constructor(private readonly onRun: () => void) {}

  /** Keeps a run, and gives the flight to the group's view when it was handled. */
  save(run: HandlerRun): void {
    this.runs.push(run);
    this.lastRunAtMs = performance.now();
    if (run.outcome === 'failed') this.#failed[run.group].add(run.eventId);
    else if (run.group === 'delay-board') this.board.add(run.eventId, run.airport, run.delayMinutes);
    else this.routes.add(run.eventId, run.airport, run.destination);
    this.onRun();
  }

  /** How many different events the group has handled. */
  handled(group: GroupName): number {
    return this.#view(group).events;
  }

  /** Those of `eventIds` that the group has not handled. */
  open(group: GroupName, eventIds: readonly string[]): readonly string[] {
    const view = this.#view(group);
    return eventIds.filter((eventId) => !view.has(eventId));
  }

  hasFailed(group: GroupName, eventId: string): boolean {
    return this.#failed[group].has(eventId);
  }

  #view(group: GroupName): DelayBoard | RouteCount {
    return group === 'delay-board' ? this.board : this.routes;
  }
}

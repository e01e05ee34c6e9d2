import type { BusCounters } from './counters.js';

/** All consumers of the demo, in this process or in others. */
export interface Consumers {
  /** Names of those that ended without leaving their groups. */
  readonly died: ReadonlySet<string>;
  /** Rejects when the demo cannot go on with what is left. Never resolves. */
  readonly failed: Promise<never>;
  /** Deploys the fix: every handler that runs after this has resolved has it. */
  deployRepair(): Promise<void>;
  /** Ends all in good order. What the buses counted, of those that lived to tell. */
  stop(): Promise<readonly BusCounters[]>;
  /** Ends all at once. */
  kill(): Promise<void>;
}

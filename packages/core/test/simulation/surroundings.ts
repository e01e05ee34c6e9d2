import type { Random } from '../random.js';
import type { Model } from './model.js';
import type { CommitStyle } from './scenario.js';
import type { Life, SimulatedTime } from './time.js';

/** What everything in a simulation shares. */
export interface Surroundings {
  readonly time: SimulatedTime;
  readonly random: Random;
  readonly model: Model;
  readonly latencyMs: number;
  readonly fetchSize: number;
  readonly commits: CommitStyle;
  nameOf(life: Life): string;
}

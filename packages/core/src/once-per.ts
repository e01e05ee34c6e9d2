import { Elapsed } from './elapsed.js';

/**
 * For one trouble that shows in many places at once, such as a topic that somebody deleted: the first place tells, and the
 * others keep still until `intervalMs` is over. What lasts is told again.
 */
export class OncePer<T> {
  private sinceTold: Elapsed | undefined;

  constructor(
    private readonly intervalMs: number,
    private readonly tell: (what: T) => void,
  ) {}

  report(what: T): void {
    if (this.sinceTold && this.sinceTold.ms < this.intervalMs) return;
    this.sinceTold = new Elapsed();
    this.tell(what);
  }
}

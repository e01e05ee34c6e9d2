/**
 * Time since an instant, by the clock that runs on while the machine sleeps and by the one that is never set: the longer
 * of the two, because too long a silence must not go unnoticed.
 */
export class Elapsed {
  private wallMs: number = Date.now();
  private steadyMs: number = performance.now();

  reset(): void {
    this.wallMs = Date.now();
    this.steadyMs = performance.now();
  }

  get ms(): number {
    return Math.max(Date.now() - this.wallMs, performance.now() - this.steadyMs);
  }
}

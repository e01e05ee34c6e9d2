interface Waiter {
  readonly version: number;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * What was told and what of it is stored. Every change is a version; storing one stores all before it, and whoever waits
 * waits for what was told so far.
 */
export class Durability {
  private told = 0;
  private stored = 0;
  private waiters: Waiter[] = [];

  /** The newest version. */
  get version(): number {
    return this.told;
  }

  get isReached(): boolean {
    return this.stored === this.told;
  }

  changed(): void {
    this.told += 1;
  }

  /** Resolves when the newest version is stored, rejects when it cannot be. */
  wait(): Promise<void> {
    if (this.isReached) return Promise.resolve();
    const { version } = this;
    return new Promise((resolve, reject) => this.waiters.push({ version, resolve, reject }));
  }

  /** Everything up to `version` is stored. */
  reached(version: number): void {
    this.stored = Math.max(this.stored, version);
    const waiting = this.waiters;
    this.waiters = [];
    for (const waiter of waiting) {
      if (waiter.version <= version) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }

  /** It cannot be stored: whoever waits is told. */
  fail(error: Error): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }
}

import type { Consumption } from './transport.js';

/** Starts and stops consumption one call after the other, whatever the order in which they are asked for. */
export class ConsumptionControl {
  #running: Consumption | undefined;
  #wanted = false;
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly begin: () => Promise<Consumption>) {}

  get consuming(): boolean {
    return this.#running !== undefined;
  }

  start(): Promise<void> {
    this.#wanted = true;
    return this.#next(async () => {
      if (!this.#running && this.#wanted) this.#running = await this.begin();
    });
  }

  stop(timeoutMs: number): Promise<void> {
    this.#wanted = false;
    return this.#next(async () => {
      const running = this.#running;
      this.#running = undefined;
      await running?.stop(timeoutMs);
    });
  }

  #next(step: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

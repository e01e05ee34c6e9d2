/**
 * Errors that nobody caught while a run lasts: promises that were left rejected, and what was thrown outside of every
 * promise. While somebody listens, Node does not end the process: a bus that does such things gets its report too.
 */
export class StrayErrors {
  /** All so far. */
  readonly all: unknown[] = [];
  #fail: ((error: unknown) => void) | undefined;
  readonly #onRejection = (reason: unknown): void => void this.all.push(reason);
  readonly #onException = (error: unknown): void => {
    this.all.push(error);
    this.#fail?.(error);
  };

  watch(): void {
    process.on('unhandledRejection', this.#onRejection);
    process.on('uncaughtException', this.#onException);
  }

  unwatch(): void {
    process.off('unhandledRejection', this.#onRejection);
    process.off('uncaughtException', this.#onException);
  }

  /** Settles like `work`; rejects at once with what is thrown outside of every promise meanwhile: nothing may come of the work then. */
  async during<T>(work: Promise<T>): Promise<T> {
    const thrown = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    try {
      return await Promise.race([work, thrown]);
    } finally {
      this.#fail = undefined;
    }
  }
}

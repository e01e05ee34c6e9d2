/** The replays of history that are under way: a shutdown ends them. */
export class RunningReplays {
  private readonly running = new Map<AbortController, Promise<unknown>>();

  /** Runs `work` with a signal that aborts with the one given, and when the replays are stopped. */
  async run<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const follow = (): void => controller.abort(signal?.reason);
    if (signal?.aborted) follow();
    signal?.addEventListener('abort', follow);
    try {
      const replay = work(controller.signal);
      this.running.set(controller, replay);
      return await replay;
    } finally {
      this.running.delete(controller);
      signal?.removeEventListener('abort', follow);
    }
  }

  /** Aborts all. Resolves when the handler that each was calling has returned. */
  async stop(reason: unknown): Promise<void> {
    const ends = [...this.running.values()];
    for (const controller of this.running.keys()) controller.abort(reason);
    await Promise.allSettled(ends);
  }
}

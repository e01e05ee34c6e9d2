/** Writes one after the other: what changes while one is under way goes with the next, and its callers wait for that. */
export function oneAtATime(write: () => Promise<void>): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const written = write();
      running = written.catch(() => undefined);
      return written;
    });
    return next;
  };
}

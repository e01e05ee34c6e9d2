/** What keeps this process alive and what listens in it. */
export interface Resources {
  readonly counts: ReadonlyMap<string, number>;
  /** What there is more of than `before`, in words. */
  grownSince(before: Resources): readonly string[];
}

/** Resources that come and go with every turn of the event loop, and say nothing. */
const PASSING: ReadonlySet<string> = new Set([
  'Immediate',
  'FSReqPromise',
  'FSReqCallback',
  'WriteWrap',
  'ShutdownWrap',
  'TickObject',
]);

/** Counts what there is now. */
export function resourcesOf(): Resources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!PASSING.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const name of process.eventNames())
    counts.set(`listeners of ${String(name)}`, process.listenerCount(name));
  return {
    counts,
    grownSince: (before) =>
      [...counts]
        .filter(([kind, count]) => count > (before.counts.get(kind) ?? 0))
        .map(([kind, count]) => `${kind}: ${before.counts.get(kind) ?? 0} → ${count}`),
  };
}

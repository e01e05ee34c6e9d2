/**
 * Runs `work` for every item: for those with the same key one after the other, for others up to `concurrency` at once.
 * After a failure nothing more is started; rejects with it once what was running has ended.
 */
export async function inOrderPerKey<T>(
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
  work: (item: T) => Promise<void>,
  concurrency: number,
): Promise<void> {
  const lanes = new Map<string | undefined, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const lane = lanes.get(key);
    if (lane) lane.push(item);
    else lanes.set(key, [item]);
  }
  const waiting = lanes.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    // All workers draw from one iterator: each lane has one worker.
    for (const lane of waiting) {
      for (const item of lane) {
        if (failures.length > 0) return;
        await work(item).catch((error: unknown) => failures.push(error));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, lanes.size) }, worker));
  if (failures.length > 0) throw failures[0];
}

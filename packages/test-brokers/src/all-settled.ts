/**
 * Like `Promise.all`, but rejects only when all have settled, so that cleaning up after a failure does not
 * run beside what is still being made.
 */
export async function allSettled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

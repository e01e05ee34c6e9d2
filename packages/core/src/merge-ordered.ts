/**
 * Of the heads of all sources always the smallest; among equals that of the first. The order within each source stays.
 * Ends every source, also when the reader stops early.
 */
export async function* mergeOrdered<T>(
  sources: readonly AsyncGenerator<T>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T> {
  const heads = new Map<AsyncGenerator<T>, T>();
  const advance = async (source: AsyncGenerator<T>): Promise<void> => {
    const next = await source.next();
    if (next.done === true) heads.delete(source);
    else heads.set(source, next.value);
  };
  try {
    for (const source of sources) await advance(source);
    while (heads.size > 0) {
      const [source, head] = [...heads].reduce((first, each) =>
        compare(each[1], first[1]) < 0 ? each : first,
      );
      yield head;
      await advance(source);
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

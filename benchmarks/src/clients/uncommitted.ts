/** An event that was fetched and may not be committed yet. */
interface Fetched {
  readonly offset: string;
  done: boolean;
}

/** What of each partition is fetched and not committed: commits go up to the first event that is not done. */
export class Uncommitted {
  private readonly partitions = new Map<number, Fetched[]>();

  /** Returns what to call when the event is done. */
  add(partition: number, offset: string): () => void {
    const fetched: Fetched = { offset, done: false };
    const list = this.partitions.get(partition);
    if (list) list.push(fetched);
    else this.partitions.set(partition, [fetched]);
    return () => {
      fetched.done = true;
    };
  }

  /** For every partition that advanced the next offset to be handled. */
  takeOffsets(): readonly { readonly partition: number; readonly offset: string }[] {
    const offsets: { partition: number; offset: string }[] = [];
    for (const [partition, list] of this.partitions) {
      const open = list.findIndex(({ done }) => !done);
      const last = list.splice(0, open === -1 ? list.length : open).at(-1);
      if (last) offsets.push({ partition, offset: String(BigInt(last.offset) + 1n) });
    }
    return offsets;
  }
}

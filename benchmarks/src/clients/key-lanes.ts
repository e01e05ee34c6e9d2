import type { ConsumerSpec } from '../client.js';

/** An event that was fetched and may not be committed yet. */
interface Task {
  readonly offset: string;
  readonly value: Buffer | null;
  done: boolean;
}

/**
 * Key lanes as somebody writes them by hand for one service: the events of a key one after the other, several keys at
 * once, and commits up to the first event that is not done. No retries, no dead letters, no rebalances.
 */
export class KeyLanes {
  /** Events that were added and are not done. */
  unhandled = 0;
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: string[] = [];
  private readonly uncommitted = new Map<number, Task[]>();
  private readonly resumes: (() => void)[] = [];
  private resumeBelow = 0;
  private running = 0;

  constructor(
    private readonly concurrency: number,
    private readonly handle: ConsumerSpec['handle'],
  ) {}

  add(partition: number, key: string, message: Pick<Task, 'offset' | 'value'>): void {
    const task: Task = { offset: message.offset, value: message.value, done: false };
    append(this.uncommitted, partition, task);
    this.unhandled += 1;
    if (append(this.lanes, key, task) === 1) this.ready.push(key);
    this.pump();
  }

  /** Calls `resume` once fewer than `limit` events are unhandled. */
  whenBelow(limit: number, resume: () => void): void {
    this.resumeBelow = limit;
    this.resumes.push(resume);
  }

  /** For every partition that advanced the next offset to be handled. */
  takeOffsets(): readonly { readonly partition: number; readonly offset: string }[] {
    const offsets: { partition: number; offset: string }[] = [];
    for (const [partition, tasks] of this.uncommitted) {
      const open = tasks.findIndex(({ done }) => !done);
      const last = tasks.splice(0, open === -1 ? tasks.length : open).at(-1);
      if (last) offsets.push({ partition, offset: String(BigInt(last.offset) + 1n) });
    }
    return offsets;
  }

  private pump(): void {
    while (this.running < this.concurrency) {
      const key = this.ready.shift();
      if (key === undefined) return;
      this.running += 1;
      void this.work(key);
    }
  }

  private async work(key: string): Promise<void> {
    const tasks = this.lanes.get(key) ?? [];
    const [task] = tasks;
    if (task) {
      await this.handle(JSON.parse(String(task.value)));
      task.done = true;
      tasks.shift();
      this.unhandled -= 1;
    }
    if (tasks.length > 0) this.ready.push(key);
    else this.lanes.delete(key);
    this.running -= 1;
    if (this.unhandled < this.resumeBelow) for (const resume of this.resumes.splice(0)) resume();
    this.pump();
  }
}

/** Returns how many there are under this key now. */
function append<K>(lists: Map<K, Task[]>, key: K, task: Task): number {
  const list = lists.get(key);
  if (list) return list.push(task);
  lists.set(key, [task]);
  return 1;
}

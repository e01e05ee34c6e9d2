import type { ConsumerSpec } from '../client.js';

/** An event that waits for its turn. */
interface Task {
  readonly json: string;
  /** Is called when it was handled. */
  readonly done: () => void;
}

/**
 * Key lanes as somebody writes them by hand for one service: the events of a key one after the other, several keys at
 * once. No retries, no dead letters, no rebalances.
 */
export class KeyLanes {
  /** Events that were added and are not done. */
  unhandled = 0;
  private readonly lanes = new Map<string, Task[]>();
  private readonly ready: string[] = [];
  private readonly resumes: (() => void)[] = [];
  private resumeBelow = 0;
  private running = 0;

  constructor(
    private readonly concurrency: number,
    private readonly handle: ConsumerSpec['handle'],
  ) {}

  add(key: string, json: string, done: () => void): void {
    this.unhandled += 1;
    const lane = this.lanes.get(key);
    if (lane) lane.push({ json, done });
    else {
      this.lanes.set(key, [{ json, done }]);
      this.ready.push(key);
    }
    this.pump();
  }

  /** Calls `resume` once fewer than `limit` events are unhandled. */
  whenBelow(limit: number, resume: () => void): void {
    this.resumeBelow = limit;
    this.resumes.push(resume);
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
      await this.handle(JSON.parse(task.json));
      task.done();
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

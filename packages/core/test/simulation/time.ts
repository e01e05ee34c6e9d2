import type { Clock } from '../../src/timers.js';

/** The life of one process, from its start to its crash. What belongs to a life that ended does not happen. */
export class Life {
  ended = false;
  /** Its event loop stands still until then. */
  frozenUntilMs = 0;
}

interface Task {
  dueMs: number;
  readonly life: Life | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

/** The first instant, since the epoch. */
export const START_MS = 1_700_000_000_000;

/** The only time of a simulation: it jumps from one thing that is due to the next. */
export class SimulatedTime {
  nowMs = 0;
  /** By due time, and in the order in which they were asked for. */
  private readonly tasks: Task[] = [];

  /** Without a life it happens in the broker or on the wire. */
  after(delayMs: number, run: () => void, life?: Life): () => void {
    const task: Task = { dueMs: this.nowMs + Math.max(0, delayMs), life, run, cancelled: false };
    this.insert(task);
    return () => {
      task.cancelled = true;
    };
  }

  delay(ms: number, life?: Life): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve, life));
  }

  /** The clock of a process. */
  clockOf(life: Life): Clock {
    return {
      now: () => START_MS + this.nowMs,
      elapsedMs: () => this.nowMs,
      after: (delayMs, task) => this.after(delayMs, task, life),
      soon: (task) => void this.after(0, task, life),
    };
  }

  /** Does the next thing and all that follows from it at once. False when nothing is due until then. */
  async step(untilMs: number): Promise<boolean> {
    const next = this.tasks[0];
    if (!next || next.dueMs > untilMs) return false;
    this.tasks.shift();
    this.nowMs = Math.max(this.nowMs, next.dueMs);
    if (next.cancelled || next.life?.ended) return true;
    if (next.life && next.life.frozenUntilMs > this.nowMs) {
      next.dueMs = next.life.frozenUntilMs;
      this.insert(next);
      return true;
    }
    next.run();
    await microtasks();
    return true;
  }

  private insert(task: Task): void {
    let at = this.tasks.length;
    while (at > 0 && (this.tasks[at - 1] as Task).dueMs > task.dueMs) at -= 1;
    this.tasks.splice(at, 0, task);
  }
}

/** Resolves when no microtask is left: Node runs all of them before it comes to an immediate. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time as the engine sees it; a simulation brings its own. */
export interface Clock {
  /** Milliseconds since the epoch, for what is told to people. Somebody may set it, back or forward. */
  now(): number;
  /** Milliseconds since any one instant, for durations and deadlines. Never goes back, never jumps. */
  elapsedMs(): number;
  /** Runs `task` once, not before `delayMs` have passed. Returns what cancels it. */
  after(delayMs: number, task: () => void): () => void;
  /** Runs `task` in a later turn of the event loop, behind the I/O that is already waiting. */
  soon(task: () => void): void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  elapsedMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
  soon: setImmediate,
};

/** Something that falls due. */
export interface Due {
  readonly dueMs: number;
  run(): void;
  cancelled: boolean;
}

/** Any number of deadlines on one timer: a binary heap by due time. Cancelling marks; the mark is dropped when it surfaces. */
export class TimerQueue {
  private readonly heap: Due[] = [];
  private cancelTimer: (() => void) | undefined;
  private armedForMs = Number.POSITIVE_INFINITY;
  private closed = false;

  constructor(private readonly clock: Clock) {}

  schedule(delayMs: number, run: () => void): Due {
    const due: Due = { dueMs: this.clock.elapsedMs() + delayMs, run, cancelled: this.closed };
    if (this.closed) return due;
    this.push(due);
    if (due.dueMs < this.armedForMs) this.arm();
    return due;
  }

  /** Cancels everything, and what is scheduled later: who still waits does so without a timer. */
  close(): void {
    this.closed = true;
    this.heap.length = 0;
    this.arm();
  }

  private arm(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.armedForMs = Number.POSITIVE_INFINITY;
    const next = this.heap[0];
    if (!next) return;
    this.armedForMs = next.dueMs;
    this.cancelTimer = this.clock.after(Math.max(0, next.dueMs - this.clock.elapsedMs()), () => this.fire());
  }

  private fire(): void {
    const now = this.clock.elapsedMs();
    for (let next = this.heap[0]; next && (next.cancelled || next.dueMs <= now); next = this.heap[0]) {
      this.pop();
      if (!next.cancelled) next.run();
    }
    this.arm();
  }

  private push(due: Due): void {
    const heap = this.heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Due;
      if (above.dueMs <= due.dueMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  private pop(): void {
    const heap = this.heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Due).dueMs < (heap[child] as Due).dueMs) child += 1;
      if ((heap[child] as Due).dueMs >= last.dueMs) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

/** Links of a member of a `DeadlineList`. The member carries them itself, so that joining and leaving allocate nothing. */
export interface DeadlineLinks {
  deadlineMs: number;
  nextDeadline: DeadlineLinks | undefined;
  previousDeadline: DeadlineLinks | undefined;
}

/**
 * Deadlines of one and the same length, thus in order of their start: joining and leaving take constant time, and one
 * timer watches the oldest.
 */
export class DeadlineList<T extends DeadlineLinks> {
  private oldest: DeadlineLinks | undefined;
  private newest: DeadlineLinks | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly lengthMs: number,
    private readonly expired: (member: T) => void,
  ) {}

  join(member: T): void {
    member.deadlineMs = this.clock.elapsedMs() + this.lengthMs;
    member.previousDeadline = this.newest;
    member.nextDeadline = undefined;
    if (this.newest) this.newest.nextDeadline = member;
    else this.oldest = member;
    this.newest = member;
    this.cancelTimer ??= this.clock.after(this.lengthMs, () => this.fire());
  }

  leave(member: T): void {
    if (member.previousDeadline) member.previousDeadline.nextDeadline = member.nextDeadline;
    else if (this.oldest === member) this.oldest = member.nextDeadline;
    else return;
    if (member.nextDeadline) member.nextDeadline.previousDeadline = member.previousDeadline;
    else this.newest = member.previousDeadline;
    member.previousDeadline = undefined;
    member.nextDeadline = undefined;
  }

  /** Lets go of the timer. Members stay where they are. */
  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private fire(): void {
    this.cancelTimer = undefined;
    const now = this.clock.elapsedMs();
    for (let member = this.oldest; member && member.deadlineMs <= now; member = this.oldest) {
      this.leave(member as T);
      this.expired(member as T);
    }
    if (this.oldest && !this.cancelTimer)
      this.cancelTimer = this.clock.after(Math.max(1, this.oldest.deadlineMs - now), () => this.fire());
  }
}

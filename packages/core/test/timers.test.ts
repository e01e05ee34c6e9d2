import { Fifo } from '../src/fifo.js';
import { type Clock, type DeadlineLinks, DeadlineList, TimerQueue } from '../src/timers.js';

/** A clock that stands still until told; counts how many timers it holds. */
class ManualClock implements Clock {
  timers = new Set<{ atMs: number; task: () => void }>();
  private nowMs = 1_000;

  now(): number {
    return this.nowMs;
  }

  elapsedMs(): number {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  soon(task: () => void): void {
    task();
  }

  advance(ms: number): void {
    const until = this.nowMs + ms;
    for (;;) {
      const next = [...this.timers].filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.task();
    }
    this.nowMs = until;
  }
}

describe('TimerQueue', () => {
  it('runs tasks in order of their due time on one timer', () => {
    const clock = new ManualClock();
    const timers = new TimerQueue(clock);
    const ran: number[] = [];
    for (const delay of [50, 10, 30, 20, 40, 10]) timers.schedule(delay, () => ran.push(delay));
    expect(clock.timers.size).toBe(1);
    clock.advance(25);
    expect(ran).toEqual([10, 10, 20]);
    clock.advance(25);
    expect(ran).toEqual([10, 10, 20, 30, 40, 50]);
    expect(clock.timers.size).toBe(0);
  });

  it('does not run what was cancelled, and runs what is scheduled while it fires', () => {
    const clock = new ManualClock();
    const timers = new TimerQueue(clock);
    const ran: string[] = [];
    timers.schedule(10, () => ran.push('cancelled')).cancelled = true;
    timers.schedule(10, () => timers.schedule(5, () => ran.push('second')));
    clock.advance(15);
    expect(ran).toEqual(['second']);
  });
});

class Member implements DeadlineLinks {
  deadlineMs = 0;
  nextDeadline: DeadlineLinks | undefined;
  previousDeadline: DeadlineLinks | undefined;
  constructor(readonly name: string) {}
}

describe('DeadlineList', () => {
  it('expires members in order of joining, skips those who left, and holds one timer', () => {
    const clock = new ManualClock();
    const expired: string[] = [];
    const list = new DeadlineList<Member>(clock, 100, (member) => expired.push(member.name));
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Member(name)) as [
      Member,
      Member,
      Member,
      Member,
    ];
    list.join(a);
    list.join(b);
    clock.advance(10);
    list.join(c);
    list.join(d);
    expect(clock.timers.size).toBe(1);
    list.leave(b);
    list.leave(d);
    list.leave(d);
    clock.advance(90);
    expect(expired).toEqual(['a']);
    clock.advance(10);
    expect(expired).toEqual(['a', 'c']);
    list.join(b);
    clock.advance(100);
    expect(expired).toEqual(['a', 'c', 'b']);
  });
});

describe('Fifo', () => {
  it('keeps order through growth, compaction and prepending', () => {
    const fifo = new Fifo<number>();
    let next = 0;
    for (let i = 0; i < 5_000; i += 1) {
      fifo.push(i);
      if (i % 3 !== 0) expect(fifo.shift()).toBe(next++);
    }
    fifo.prepend([-2, -1]);
    expect(fifo.shift()).toBe(-2);
    expect(fifo.shift()).toBe(-1);
    expect(fifo.peek()).toBe(next);
    expect(fifo.clear()).toEqual(Array.from({ length: 5_000 - next }, (_, i) => next + i));
    expect(fifo.length).toBe(0);
    expect(fifo.shift()).toBeUndefined();
  });
});

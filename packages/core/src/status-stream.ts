import type { BusStatus } from './status.js';

/** How many statuses wait for one reader. */
const CAPACITY = 1_000;

const END: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** Hands what happens to the bus to any number of readers, each at its own pace. */
export class StatusStream {
  readonly #readers = new Set<StatusReader>();
  readonly #capacity: number;
  #closed = false;

  /** `capacity`: how many statuses wait for one reader before the oldest is dropped. @default 1000 */
  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  /** Readers that have not stopped. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Never throws and never waits. */
  emit(status: BusStatus): void {
    for (const reader of this.#readers) reader.push(status);
  }

  /**
   * What is emitted from this call on, also before the first `next()`. Leaving the loop ends the reading. After `close`
   * a reader still gets what waits for it.
   */
  stream(): AsyncIterable<BusStatus> {
    const reader = new StatusReader(this.#capacity, () => this.#readers.delete(reader));
    if (this.#closed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  /** Ends every reader's loop. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }
}

type Take = (result: IteratorResult<BusStatus, undefined>) => void;

class StatusReader implements AsyncIterableIterator<BusStatus, undefined> {
  readonly #capacity: number;
  readonly #leave: () => void;
  readonly #waiting: Take[] = [];
  #buffer: BusStatus[] = [];
  #ended = false;

  constructor(capacity: number, leave: () => void) {
    this.#capacity = capacity;
    this.#leave = leave;
  }

  push(status: BusStatus): void {
    const take = this.#waiting.shift();
    if (take) {
      take({ done: false, value: status });
      return;
    }
    this.#buffer.push(status);
    if (this.#buffer.length > this.#capacity) this.#buffer.shift();
  }

  end(): void {
    this.#ended = true;
    for (const take of this.#waiting.splice(0)) take(END);
  }

  next(): Promise<IteratorResult<BusStatus, undefined>> {
    const value = this.#buffer.shift();
    if (value) return Promise.resolve({ done: false, value });
    if (this.#ended) return Promise.resolve(END);
    return new Promise((take) => this.#waiting.push(take));
  }

  return(): Promise<IteratorResult<BusStatus, undefined>> {
    this.#leave();
    this.#buffer = [];
    this.end();
    return Promise.resolve(END);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

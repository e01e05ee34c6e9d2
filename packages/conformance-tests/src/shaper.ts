import type { Socket } from 'node:net';

const MS_PER_SECOND = 1_000;
/** More than this is not taken from the sender, so that the fault reaches it as back-pressure. */
const MAX_QUEUED_BYTES = 256 * 1024;
/** A slow link hands over small pieces, not one large piece late. */
const MAX_PIECE_BYTES = 4 * 1024;

interface Piece {
  readonly bytes: Buffer;
  readonly dueAtMs: number;
}

/** One direction of a connection: delays bytes and lets only so many pass, in order. */
export class Shaper {
  readonly #to: Socket;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #latencyMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** When the link is free again after what it carried so far. */
  #freeAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #ending = false;
  /** Called once when there is room again, after `push` said that there is none. */
  onDrain: (() => void) | undefined;

  constructor(to: Socket) {
    this.#to = to;
  }

  /** Takes effect for what comes next; what is queued keeps its time. */
  set(latencyMs: number, bytesPerSecond: number): void {
    this.#latencyMs = latencyMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Takes bytes. False: take a break until `onDrain`. */
  push(chunk: Buffer): boolean {
    if (
      this.#queue.length === 0 &&
      this.#latencyMs === 0 &&
      this.#bytesPerSecond === Number.POSITIVE_INFINITY
    ) {
      if (this.#to.write(chunk)) return true;
      this.#to.once('drain', () => this.#drained());
      return false;
    }
    const piece = this.#bytesPerSecond === Number.POSITIVE_INFINITY ? chunk.length : MAX_PIECE_BYTES;
    for (let at = 0; at < chunk.length; at += piece) this.#enqueue(chunk.subarray(at, at + piece));
    this.#schedule();
    return this.#queuedBytes < MAX_QUEUED_BYTES;
  }

  /** Ends the connection's direction after what is queued. */
  end(): void {
    this.#ending = true;
    if (this.#queue.length === 0) this.#to.end();
  }

  /** Forgets what is queued. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  #enqueue(bytes: Buffer): void {
    const now = performance.now();
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + (bytes.length * MS_PER_SECOND) / this.#bytesPerSecond;
    this.#queue.push({ bytes, dueAtMs: this.#freeAtMs + this.#latencyMs });
    this.#queuedBytes += bytes.length;
  }

  #schedule(): void {
    const next = this.#queue[0];
    if (!next || this.#timer) return;
    this.#timer = setTimeout(() => this.#release(), Math.max(0, next.dueAtMs - performance.now()));
  }

  #release(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let next = this.#queue[0]; next && next.dueAtMs <= now; next = this.#queue[0]) {
      this.#queue.shift();
      this.#queuedBytes -= next.bytes.length;
      if (!this.#to.destroyed) this.#to.write(next.bytes);
    }
    if (this.#queuedBytes < MAX_QUEUED_BYTES / 2) this.#drained();
    if (this.#queue.length > 0) this.#schedule();
    else if (this.#ending && !this.#to.destroyed) this.#to.end();
  }

  #drained(): void {
    const resume = this.onDrain;
    this.onDrain = undefined;
    resume?.();
  }
}

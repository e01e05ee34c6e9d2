/** The newest output of a process, bounded: what is older than `maxChars` is forgotten. */
export class LogRing {
  readonly #maxChars: number;
  #chunks: string[] = [];
  #length = 0;

  /** @param maxChars how much is kept. @default 262144 */
  constructor(maxChars: number = 256 * 1024) {
    this.#maxChars = maxChars;
  }

  /** Adds output, and forgets the oldest chunks that no longer fit. */
  append(chunk: string): void {
    this.#chunks.push(chunk.length > this.#maxChars ? chunk.slice(-this.#maxChars) : chunk);
    this.#length += Math.min(chunk.length, this.#maxChars);
    while (this.#length > this.#maxChars) {
      const oldest = this.#chunks.shift() ?? '';
      this.#length -= oldest.length;
    }
  }

  /** Everything that is kept, oldest first. */
  text(): string {
    if (this.#chunks.length > 1) this.#chunks = [this.#chunks.join('')];
    return this.#chunks[0] ?? '';
  }

  /** The last `count` lines, without blank ones at the end. */
  lastLines(count: number): string {
    return this.text().trimEnd().split('\n').slice(-count).join('\n');
  }
}

import { clearLine, cursorTo } from 'node:readline';
import type { WriteStream } from 'node:tty';

import pc from 'picocolors';

/** Functions that colour text, or leave it as it is. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Where the demo writes: lines, and on a terminal one live line below them. */
export class Terminal {
  /** Colours only where somebody sees them and has not asked for none (`NO_COLOR`). */
  readonly paint: Paint;
  #liveLine = '';

  constructor(
    private readonly out: NodeJS.WriteStream = process.stdout,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.paint = pc.createColors(out.isTTY === true && !env.NO_COLOR);
  }

  /** Whether the live line is shown. */
  get isLive(): boolean {
    return this.out.isTTY === true;
  }

  /** Writes lines that stay. */
  readonly say = (text: string): void => {
    this.#clear();
    this.out.write(`${text}\n`);
    this.#draw();
  };

  /** Replaces the live line; nothing where there is none. An empty text removes it. */
  live(text: string): void {
    if (!this.isLive || text === this.#liveLine) return;
    this.#clear();
    this.#liveLine = text;
    this.#draw();
  }

  #clear(): void {
    if (this.#liveLine === '') return;
    const terminal = this.out as WriteStream;
    cursorTo(terminal, 0);
    clearLine(terminal, 0);
  }

  #draw(): void {
    // A line that wraps could not be cleared.
    if (this.#liveLine !== '') this.out.write(this.#liveLine.slice(0, (this.out.columns ?? 80) - 1));
  }
}

import { clearLine, cursorTo } from 'node:readline';

/** What is shown while the benchmark runs: on a terminal one live line, elsewhere a line for every step. */
export class Progress {
  private live = '';

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  /** A line that stays. */
  readonly say = (line: string): void => {
    this.clear();
    this.out.write(`${line}\n`);
    this.draw();
  };

  /** What is done at the moment; an empty text removes the live line. */
  readonly step = (text: string): void => {
    if (!this.out.isTTY) {
      if (text !== '') this.out.write(`  ${text}\n`);
      return;
    }
    this.clear();
    this.live = text;
    this.draw();
  };

  private clear(): void {
    if (this.live === '') return;
    cursorTo(this.out, 0);
    clearLine(this.out, 0);
  }

  private draw(): void {
    // A line that wraps could not be removed.
    if (this.live !== '') this.out.write(this.live.slice(0, (this.out.columns ?? 80) - 1));
  }
}

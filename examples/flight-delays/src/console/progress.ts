import { GROUPS } from '../groups.js';
import type { Ledger } from '../ledger.js';
import { formatCount } from './format.js';
import type { Terminal } from './terminal.js';

const BAR_CHARACTERS = 24;
const REDRAW_EVERY_MS = 50;
const LINE_EVERY_PERCENT = 10;

/** How far the events are: a bar on a terminal, a line for every tenth elsewhere. */
export class Progress {
  published = 0;
  #drawnAtMs = 0;
  #saidPercent = 0;

  constructor(
    private readonly terminal: Terminal,
    private readonly ledger: Ledger,
    private readonly events: number,
  ) {}

  /** To be called for whatever may have changed it; cheap. */
  update(): void {
    const handled = GROUPS.reduce((sum, group) => sum + this.ledger.handled(group), 0);
    const percent = Math.floor((100 * handled) / (this.events * GROUPS.length));
    if (this.terminal.isLive) this.#draw(percent);
    else this.#say(percent);
  }

  /** Removes the bar. */
  end(): void {
    this.terminal.live('');
  }

  #draw(percent: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnAtMs < REDRAW_EVERY_MS) return;
    this.#drawnAtMs = nowMs;
    const full = Math.round((percent / 100) * BAR_CHARACTERS);
    this.terminal.live(`${'█'.repeat(full)}${'░'.repeat(BAR_CHARACTERS - full)} ${this.#text(percent)}`);
  }

  #say(percent: number): void {
    const step = percent - (percent % LINE_EVERY_PERCENT);
    if (step <= this.#saidPercent) return;
    this.#saidPercent = step;
    this.terminal.say(this.#text(step));
  }

  #text(percent: number): string {
    const counts = GROUPS.map((group) => `${group} ${formatCount(this.ledger.handled(group))}`);
    return [`${percent} %`.padStart(5), `published ${formatCount(this.published)}`, ...counts].join('  ');
  }
}

import { BusError } from '../../src/errors.js';
import type { Random } from '../random.js';
import type { Life, SimulatedTime } from './time.js';

/** What may happen to a request while the network or the broker is in trouble. */
export type TroubleKind = 'request-lost' | 'answer-lost' | 'refused' | 'slow';

/** A time in which one in `oneIn` requests goes wrong. */
export interface Trouble {
  readonly kind: TroubleKind;
  readonly oneIn: number;
  readonly untilMs: number;
}

const SLOW_MS = 60;

/** The connection of one process: requests arrive in the order in which they were sent, some time later, or not. */
export class Wire {
  trouble: Trouble | undefined;
  offlineUntilMs = 0;
  private arrivesMs = 0;
  private answersMs = 0;

  constructor(
    private readonly time: SimulatedTime,
    private readonly random: Random,
    private readonly life: Life,
    private readonly latencyMs: number,
  ) {}

  get isOffline(): boolean {
    return this.offlineUntilMs > this.time.nowMs;
  }

  /** `apply` is what the broker does with it, unless it refuses. */
  request<T>(apply: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fate = this.fate();
      const takesMs = this.random.upTo(this.latencyMs) + (fate === 'slow' ? SLOW_MS : 0);
      this.arrivesMs = Math.max(this.arrivesMs, this.time.nowMs + takesMs);
      this.time.after(this.arrivesMs - this.time.nowMs, () => {
        // What a process sent before it died may still arrive.
        const isLost = this.isOffline || fate === 'request-lost' || (this.life.ended && this.random.oneIn(2));
        if (isLost) return this.answer(() => reject(connectionLost()));
        if (fate === 'refused')
          return this.answer(() => reject(new BusError('BROKER', 'The simulated broker refused')));
        try {
          const result = apply();
          this.answer(() =>
            fate === 'answer-lost' || this.isOffline ? reject(connectionLost()) : resolve(result),
          );
        } catch (error) {
          this.answer(() => reject(error));
        }
      });
    });
  }

  private answer(tell: () => void): void {
    this.answersMs = Math.max(this.answersMs, this.time.nowMs + this.random.upTo(this.latencyMs));
    this.time.after(this.answersMs - this.time.nowMs, tell, this.life);
  }

  private fate(): TroubleKind | undefined {
    const { trouble } = this;
    if (!trouble || trouble.untilMs <= this.time.nowMs) return undefined;
    return this.random.oneIn(trouble.oneIn) ? trouble.kind : undefined;
  }
}

function connectionLost(): BusError {
  return new BusError('CONNECTION_LOST', 'The simulated connection broke');
}

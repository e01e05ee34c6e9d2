import { History, type HistoryEntry } from '../src/history.js';

/** Writes histories for tests of the checker: one call a fact, one millisecond a fact. */
export class Log {
  readonly history: History = new History();
  #now = 0;
  #delivery = 0;
  readonly #open = new Map<string, number>();

  at(ms: number): this {
    this.#now = ms;
    return this;
  }

  published(
    key: string,
    sequence: number,
    outcome: 'ok' | 'failed' | 'unknown' = 'ok',
    publisher = 'p',
  ): this {
    const eventId = `${key}#${sequence}`;
    this.#add({ kind: 'invoked', publisher, eventId, eventType: 'T', key, sequence, atMs: this.#tick() });
    return this.#add({ kind: 'published', eventId, outcome, atMs: this.#tick() });
  }

  starts(
    key: string,
    sequence: number,
    options: { consumer?: string; group?: string; handler?: string; attempt?: number } = {},
  ): this {
    const { consumer = 'c', group = 'g', handler = 'main', attempt = 1 } = options;
    this.#delivery += 1;
    this.#open.set(`${consumer} ${key}#${sequence}`, this.#delivery);
    return this.#add({
      kind: 'started',
      delivery: this.#delivery,
      group,
      consumer,
      handler,
      eventId: `${key}#${sequence}`,
      eventType: 'T',
      key,
      sequence,
      attempt,
      partition: 0,
      position: `${sequence}`,
      redelivered: false,
      replay: false,
      atMs: this.#tick(),
    });
  }

  ends(key: string, sequence: number, outcome: 'ok' | 'failed' = 'ok', consumer = 'c'): this {
    const delivery = this.#open.get(`${consumer} ${key}#${sequence}`) ?? -1;
    return this.#add({ kind: 'ended', delivery, consumer, outcome, atMs: this.#tick() });
  }

  handles(key: string, sequence: number, options: Parameters<Log['starts']>[2] = {}): this {
    return this.starts(key, sequence, options).ends(key, sequence, 'ok', options.consumer);
  }

  gone(consumer: string): this {
    return this.#add({ kind: 'gone', consumer, atMs: this.#tick() });
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }

  #add(entry: HistoryEntry): this {
    this.history.apply(entry);
    return this;
  }
}

import { checkForceOptions } from './call-options.js';
import type { EventCodec } from './codec.js';
import {
  checkListing,
  type DeadLetterListing,
  type DeadLetterSelection,
  selectDeadLetters,
} from './dead-letter-filter.js';
import { type DeadLetterEntry, replayDeadLetters } from './dead-letter-replay.js';
import { parseDeadLetter } from './envelope.js';
import type { DeadLetter, DeadLetterFilter, DeadLetterQueue } from './event-bus.js';
import type { DeadLetterStore, StoredDeadLetter } from './transport.js';

/** What the dead letters of a bus are administered with. */
export interface DeadLetterQueueOptions {
  /** Connects if need be. */
  readonly store: () => Promise<DeadLetterStore>;
  readonly group: string;
  /** How often an event may be replayed. */
  readonly maxReplays: number;
  readonly codec: EventCodec;
  /** A larger dead letter is shown as bytes. */
  readonly maxEventBytes: number;
  /** Asked after `store` resolved. */
  readonly partitions: () => number;
}

/** Letters that are in memory at once. */
const PAGE_SIZE = 100;

/** The administration of dead letters over whatever keeps them. */
export function createDeadLetterQueue(options: DeadLetterQueueOptions): DeadLetterQueue {
  return new StoredDeadLetterQueue(options);
}

class StoredDeadLetterQueue implements DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions;
  /** Spares the search for a letter that came out of `list`. */
  readonly #stored = new WeakMap<DeadLetter, StoredDeadLetter>();

  constructor(options: DeadLetterQueueOptions) {
    this.#options = options;
  }

  async *list(listing: DeadLetterListing = {}): AsyncIterable<DeadLetter> {
    checkListing(listing);
    const { after, limit = Number.POSITIVE_INFINITY, ...filter } = listing;
    let left = limit;
    for await (const page of this.#pages(filter, after, Math.min(PAGE_SIZE, limit))) {
      for (const { letter, stored } of page) {
        this.#stored.set(letter, stored);
        yield letter;
        if (--left === 0) return;
      }
    }
  }

  async count(filter: DeadLetterFilter = {}): Promise<number> {
    let count = 0;
    for await (const page of this.#pages(filter)) count += page.length;
    return count;
  }

  async replay(
    which: DeadLetter | DeadLetterFilter,
    options: { readonly force?: boolean } = {},
  ): Promise<number> {
    checkForceOptions(options);
    const pages = this.#which(which);
    const store = await this.#options.store();
    const maxReplays = options.force ? Number.POSITIVE_INFINITY : this.#options.maxReplays;
    return replayDeadLetters({ store, maxReplays, partitions: this.#options.partitions() }, pages);
  }

  async purge(which: DeadLetter | DeadLetterFilter): Promise<number> {
    const pages = this.#which(which);
    const store = await this.#options.store();
    let purged = 0;
    for await (const page of pages) {
      for (const group of new Set(page.map(({ letter }) => letter.group))) {
        const ofGroup = page.filter(({ letter }) => letter.group === group);
        purged += await store.remove(
          ofGroup.map(({ stored }) => stored),
          group,
        );
      }
    }
    return purged;
  }

  #which(which: DeadLetter | DeadLetterFilter): AsyncIterable<readonly DeadLetterEntry[]> {
    if (!isDeadLetter(which)) return this.#pages(which);
    const stored = this.#stored.get(which);
    return stored ? onePage({ letter: which, stored }) : this.#pages({ group: which.group, ids: [which.id] });
  }

  /** Checks the filter at once, and reads when it is iterated. */
  #pages(
    filter: DeadLetterFilter,
    after?: string,
    pageSize = PAGE_SIZE,
  ): AsyncIterable<readonly DeadLetterEntry[]> {
    return this.#read(selectDeadLetters(filter, this.#options.group), after, pageSize);
  }

  /**
   * A letter that names no group is taken for the bus's own: some brokers keep the dead letters of each group apart, and
   * what other libraries wrote there does not say it. Replayed to a group without a name it would be lost.
   */
  #parse(stored: StoredDeadLetter): DeadLetter {
    const letter = parseDeadLetter(stored, this.#options.codec, this.#options.maxEventBytes);
    return letter.group === '' ? { ...letter, group: this.#options.group } : letter;
  }

  async *#read(
    { group, atMost, matches }: DeadLetterSelection,
    after: string | undefined,
    pageSize: number,
  ): AsyncIterable<readonly DeadLetterEntry[]> {
    if (atMost === 0) return;
    let left = atMost;
    const store = await this.#options.store();
    for await (const page of store.read({ group, after, pageSize })) {
      const found = page
        .map((stored) => ({ stored, letter: this.#parse(stored) }))
        .filter(({ letter }) => matches(letter));
      if (found.length > 0) yield found;
      left -= found.length;
      if (left <= 0) return;
    }
  }
}

function isDeadLetter(which: DeadLetter | DeadLetterFilter): which is DeadLetter {
  return 'id' in which && 'deadLetteredAt' in which;
}

async function* onePage(entry: DeadLetterEntry): AsyncIterable<readonly DeadLetterEntry[]> {
  yield [entry];
}

import { describeError } from './describe-error.js';
import { replayRecord } from './envelope.js';
import { BusError, isBusError } from './errors.js';
import type { DeadLetter } from './event-bus.js';
import { inOrderPerKey } from './in-order-per-key.js';
import type { DeadLetterStore, StoredDeadLetter } from './transport.js';

/** A dead letter as it is shown, and as it is stored. */
export interface DeadLetterEntry {
  readonly letter: DeadLetter;
  readonly stored: StoredDeadLetter;
}

/** How a replay is done. */
export interface DeadLetterReplay {
  readonly store: DeadLetterStore;
  readonly maxReplays: number;
  readonly partitions: number;
}

/** How many refused dead letters an error names. */
const NAMED = 10;

/** Replays that are under way at once, of different keys. */
const CONCURRENCY = 16;

/**
 * Gives each letter back to its group, those of one key in order, and returns how many. What another admin replayed or
 * purged meanwhile is not counted.
 *
 * A letter at its limit is left where it is and does not hold back the others: one poisonous event must not stand
 * between an operator and the thousand that are good now. When all others are replayed the call rejects with
 * `MAX_REPLAYS`, which says how many were, and names what was refused.
 */
export async function replayDeadLetters(
  { store, maxReplays, partitions }: DeadLetterReplay,
  pages: AsyncIterable<readonly DeadLetterEntry[]>,
): Promise<number> {
  const refused: string[] = [];
  let replayed = 0;
  const replay = async ({ letter, stored }: DeadLetterEntry): Promise<void> => {
    if (letter.replayCount >= maxReplays) refused.push(letter.id);
    else if (
      await store.replay(
        stored,
        letter.group,
        replayRecord(stored, letter.group, partitions, { event: letter.event }),
      )
    )
      replayed++;
  };
  try {
    for await (const page of pages) {
      await inOrderPerKey(page, ({ letter }) => letter.key, replay, CONCURRENCY);
    }
  } catch (error) {
    throw replayed === 0 ? error : interrupted(error, replayed);
  }
  if (refused.length > 0) throw limitReached(refused, replayed, maxReplays);
  return replayed;
}

function limitReached(refused: readonly string[], replayed: number, maxReplays: number): BusError {
  const more = refused.length > NAMED ? ` and ${refused.length - NAMED} more` : '';
  return new BusError(
    'MAX_REPLAYS',
    `${refused.length} dead letters were not replayed, because they failed again after ${maxReplays} replays ` +
      `(${refused.slice(0, NAMED).join(', ')}${more}); ${replayed} others were. ` +
      'Purge them, or replay them with { force: true }',
  );
}

function interrupted(cause: unknown, replayed: number): BusError {
  const error = isBusError(cause) ? cause : new BusError('BROKER', describeError(cause).message);
  return new BusError(error.code, `the replay stopped after ${replayed} dead letters: ${error.message}`, {
    cause,
    retryable: error.retryable,
  });
}

import { BusError } from '@omnibus/core/transport';
import { EARLIEST, LATEST, offsetsAt } from './offsets.js';
import type { TopicView } from './topic-view.js';

/** Where to go on when an offset does not exist, and what that means. */
export interface OutOfRange {
  readonly start: string;
  readonly what: BusError;
}

/** What was deleted before it was read is gone; everything that is left must be delivered. */
export async function explainOutOfRange(
  view: TopicView,
  partition: number,
  offset: string,
): Promise<OutOfRange> {
  const start = (await offsetsAt(view, [partition], EARLIEST)).get(partition) ?? '0';
  const end = (await offsetsAt(view, [partition], LATEST)).get(partition) ?? start;
  const lost = BigInt(start) - BigInt(offset);
  const why =
    lost > 0n
      ? `${lost} events were deleted by retention before the group read them`
      : `the topic ends at ${end}: it was truncated or made anew, and is read from its start`;
  const message = `Offset ${offset} of partition ${partition} of ${view.topic} does not exist; ${why}`;
  return { start, what: new BusError('BROKER', message, { retryable: false }) };
}

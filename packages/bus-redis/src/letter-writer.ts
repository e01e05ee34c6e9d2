import { deadLetterRetries, type InboundRecord, type OutboundRecord } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { fieldsOf } from './entry.js';
import { toBusError } from './errors.js';
import type { Keys } from './keys.js';
import type { Lease } from './lease.js';
import { deadLetter } from './scripts.js';

/** A record that its group gives up, and the lease under which it does. */
export interface GivenUp {
  readonly lease: Lease;
  readonly group: string;
  readonly source: InboundRecord;
  readonly letter: OutboundRecord;
}

const FENCED = -1;

/** Writes the dead letter and settles its source in one step. False when the partition belongs to another process now. */
export async function writeDeadLetter(
  commands: Commands,
  keys: Keys,
  { lease: { partition, token }, group, source, letter }: GivenUp,
): Promise<boolean> {
  const names = [keys.lease(partition, group), keys.streamOf(partition), keys.deadLettersOf(partition)];
  // The predecessor's fields: it looks for the position and the count there.
  const itsFields = ['original_message_id', source.position, 'retry_count', deadLetterRetries(letter)];
  try {
    const answer = await deadLetter.run(commands, names, [
      token,
      group,
      source.position,
      ...fieldsOf(letter),
      ...itsFields,
    ]);
    return answer !== FENCED;
  } catch (error) {
    throw toBusError(error, `write a dead letter to ${keys.deadLettersOf(partition)}`);
  }
}

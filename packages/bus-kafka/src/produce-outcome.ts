import type { BusError } from '@omnibus/core/transport';
import { toBusError } from './errors.js';
import { protocolError } from './protocol.js';

/** What became of one batch. */
export type Outcome =
  | { readonly kind: 'stored' }
  /** Not stored. */
  | { readonly kind: 'refused'; readonly error: BusError }
  /** Stored or not: nobody knows. */
  | { readonly kind: 'unknown'; readonly error: BusError }
  /** Not stored, and it may be stored in smaller parts. */
  | { readonly kind: 'too-large'; readonly error: BusError }
  /** Not stored: the broker's count of what came from this producer in this partition is another one. */
  | { readonly kind: 'out-of-sequence'; readonly error: BusError }
  /** Not stored, and this producer id is of no use any more. */
  | { readonly kind: 'session-ended'; readonly error: BusError };

/** By Kafka's names. What is not here was not stored. */
const KINDS: Readonly<Record<string, Outcome['kind']>> = {
  // It was stored the first time.
  DUPLICATE_SEQUENCE_NUMBER: 'stored',
  // It may have been in the log already when the leader ceased to lead, or lost its disk.
  NOT_LEADER_FOR_PARTITION: 'unknown',
  KAFKA_STORAGE_ERROR: 'unknown',
  // The leader has it, but not enough replicas confirmed it.
  REQUEST_TIMED_OUT: 'unknown',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'unknown',
  NETWORK_EXCEPTION: 'unknown',
  UNKNOWN: 'unknown',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'out-of-sequence',
  UNKNOWN_PRODUCER_ID: 'out-of-sequence',
  INVALID_PRODUCER_EPOCH: 'session-ended',
  INVALID_PRODUCER_ID_MAPPING: 'session-ended',
};

const NO_ANSWER = -1;

/** What the broker's answer for a partition means; undefined: it said nothing about it. */
export function outcomeOf(errorCode: number | undefined, topic: string): Outcome {
  if (errorCode === 0) return { kind: 'stored' };
  const cause = protocolError(errorCode ?? NO_ANSWER);
  const kind = KINDS[cause.type] ?? 'refused';
  if (kind === 'stored') return { kind };
  // Sent again, it is stored under its old number or a new one.
  if (kind === 'unknown' || kind === 'out-of-sequence' || kind === 'session-ended')
    Object.assign(cause, { retriable: true });
  return { kind, error: toBusError(cause, `publish to ${topic}`) };
}

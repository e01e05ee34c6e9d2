import { randomUUID } from 'node:crypto';

import type { OutboundRecord, Transport } from '@omnibus/core/transport';

import { pause } from '../poll.js';

/** A name that no other test uses. */
export function uniqueName(what = 't'): string {
  return `${what}-${randomUUID().slice(0, 8)}`;
}

/** A record as core would build it. */
export function record(
  partition: number,
  value: string,
  extra: Partial<OutboundRecord> = {},
): OutboundRecord {
  return {
    partition,
    key: `key-${partition}`,
    value: Buffer.from(value),
    headers: { event_id: value },
    timestampMs: Date.now(),
    event: {
      eventId: value,
      eventType: 'T',
      aggregateId: `key-${partition}`,
      aggregateType: 'A',
      aggregateVersion: 1,
      occurredAt: '2026-01-01T00:00:00Z',
    },
    ...extra,
  };
}

/** `count` records of one partition, numbered from `first`. */
export function records(partition: number, count: number, first = 0): OutboundRecord[] {
  return Array.from({ length: count }, (_, i) => record(partition, `${partition}/${first + i}`));
}

/** Sends as core does: what failed with a retryable error is sent again, in order, until nothing is left. */
export async function sendAll(
  transport: Pick<Transport, 'send'>,
  all: readonly OutboundRecord[],
): Promise<void> {
  let left = all;
  while (left.length > 0) {
    const { failures } = await transport.send(left);
    const fatal = failures.find(({ error }) => !error.retryable);
    if (fatal) throw fatal.error;
    const failed = new Set(failures.map(({ index }) => index));
    left = left.filter((_, index) => failed.has(index));
    if (left.length > 0) await pause(50);
  }
}

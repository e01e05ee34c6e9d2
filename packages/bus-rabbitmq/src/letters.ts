import type { InboundRecord } from '@omnibus/core/transport';
import type { ConsumeMessage, Message } from 'amqplib';
import { recordOf } from './message.js';

/** Ids of our own begin with the time of writing. */
const OWN_ID = /^(\d{13,15})-[0-9a-f-]{36}$/;
const EVENT_ID = 'event_id';

/** Gives each message its id as a dead letter. Others name the message for the event, which may have failed more than once. */
export function lettersOf(
  seen: (id: string, message: ConsumeMessage) => void,
): (message: ConsumeMessage) => void {
  const counts = new Map<string, number>();
  return (message) => {
    const id = recordOf(message).position;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    seen(count === 1 ? id : `${id}~${count}`, message);
  };
}

/** The record of a dead letter. The id of the letter is not that of its event. */
export function letterRecordOf(message: Message): InboundRecord {
  const record = recordOf(message);
  if (!OWN_ID.test(record.position) || record.headers[EVENT_ID] !== record.position) return record;
  const { [EVENT_ID]: _, ...headers } = record.headers;
  return { ...record, headers };
}

/** Orders ids by when the letters were written, as far as these tell. */
export function compareIds(a: string, b: string): number {
  return timeOf(a) - timeOf(b) || (a < b ? -1 : Number(a > b));
}

/** 0 for letters of others. */
function timeOf(id: string): number {
  return Number(OWN_ID.exec(id)?.[1] ?? 0);
}

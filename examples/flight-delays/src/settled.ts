import { setTimeout as sleep } from 'node:timers/promises';

import type { EventBus } from '@omnibus/core';

import { listDeadLetters } from './dead-letters.js';
import { GROUPS, type GroupName } from './groups.js';
import type { Ledger } from './ledger.js';

/** What is waited for. */
export interface SettledOptions {
  readonly bus: EventBus;
  readonly ledger: Ledger;
  readonly eventIds: readonly string[];
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 100;
const QUIET_MS = 1_000;
/** Longer than a broker needs to notice a killed consumer and give its partitions to others. */
const STALLED_MS = 60_000;

/**
 * Resolves when both groups have handled every event or given it up, or when nothing has moved for a minute: with
 * false, if events were then neither handled nor dead letters.
 */
export async function untilSettled(options: SettledOptions): Promise<boolean> {
  const { ledger, signal } = options;
  let complete = await allSettled(options);
  while (!complete && quietMs(ledger) < STALLED_MS) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    complete = await allSettled(options);
  }
  return complete;
}

async function allSettled(options: SettledOptions): Promise<boolean> {
  for (const group of GROUPS) if (!(await isSettled(options, group))) return false;
  return true;
}

/**
 * Whether the group has handled every event or given it up. The broker is asked for dead letters only when they can be
 * the answer: all that is open failed before, or nothing moves.
 */
async function isSettled(options: SettledOptions, group: GroupName): Promise<boolean> {
  const { ledger, eventIds } = options;
  const open = ledger.open(group, eventIds);
  if (open.length === 0) return true;
  const allFailed = open.every((eventId) => ledger.hasFailed(group, eventId));
  if (!allFailed && quietMs(ledger) < QUIET_MS) return false;
  const givenUp = new Set((await listDeadLetters(options.bus, group)).map(({ eventId }) => eventId));
  return open.every((eventId) => givenUp.has(eventId));
}

function quietMs({ lastRunAtMs }: Ledger): number {
  return performance.now() - lastRunAtMs;
}

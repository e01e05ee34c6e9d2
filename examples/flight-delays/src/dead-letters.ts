import type { DeadLetter, EventBus } from '@omnibus/core';

import { formatCount } from './console/format.js';
import { table } from './console/table.js';
import type { Terminal } from './console/terminal.js';
import { GROUPS, type GroupName } from './groups.js';

/** Dead letters by group, oldest first. */
export type DeadLetters = Readonly<Record<GroupName, readonly DeadLetter[]>>;

const SHOWN = 5;

/** Lists those of a group. */
export async function listDeadLetters(bus: EventBus, group: GroupName): Promise<readonly DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of bus.deadLetters.list({ group })) letters.push(letter);
  return letters;
}

/** Lists those of both groups. */
export async function listAllDeadLetters(bus: EventBus): Promise<DeadLetters> {
  return {
    'delay-board': await listDeadLetters(bus, 'delay-board'),
    'route-count': await listDeadLetters(bus, 'route-count'),
  };
}

/** How many there are in all groups. */
export function countDeadLetters(letters: DeadLetters): number {
  return GROUPS.reduce((sum, group) => sum + letters[group].length, 0);
}

/** The ids of the events, by group; one that was given up twice counts once. */
export function deadLetterIds(letters: DeadLetters): Readonly<Record<GroupName, ReadonlySet<string>>> {
  const idsOf = (group: GroupName): ReadonlySet<string> =>
    new Set(letters[group].map(({ eventId }) => eventId ?? 'unreadable'));
  return { 'delay-board': idsOf('delay-board'), 'route-count': idsOf('route-count') };
}

/** Shows the first of each group. */
export function showDeadLetters({ say, paint }: Terminal, letters: DeadLetters): void {
  for (const group of GROUPS.filter((name) => letters[name].length > 0)) {
    const count = letters[group].length;
    const rows = letters[group]
      .slice(0, SHOWN)
      .map((letter) => [
        `  ${letter.event?.aggregateId ?? letter.key} ${letter.event?.aggregateVersion}`,
        letter.reason,
        `${letter.attempts} attempts`,
        letter.errorMessage,
      ]);
    const [, ...lines] = table(['', '', '', ''], rows);
    const more = count > SHOWN ? `\n  and ${formatCount(count - SHOWN)} more` : '';
    say(`Dead letters of ${group}: ${formatCount(count)}\n${paint.yellow(lines.join('\n'))}${more}`);
  }
}

/** Gives them back to their groups. Returns how many. */
export async function replayDeadLetters(bus: EventBus, letters: DeadLetters): Promise<number> {
  let replayed = 0;
  for (const group of GROUPS.filter((name) => letters[name].length > 0)) {
    replayed += await bus.deadLetters.replay({ group });
  }
  return replayed;
}

import type { DeadLetter, DeadLetterFilter, EventBus } from '@omnibus/core';

/** All dead letters that match, oldest first. @default those of the bus's group */
export async function lettersOf(bus: EventBus, filter: DeadLetterFilter = {}): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for await (const letter of bus.deadLetters.list(filter)) letters.push(letter);
  return letters;
}

/** The only dead letter that matches. Fails when there is another number of them. */
export async function onlyLetterOf(bus: EventBus, filter: DeadLetterFilter = {}): Promise<DeadLetter> {
  const letters = await lettersOf(bus, filter);
  const [letter] = letters;
  if (!letter || letters.length > 1) throw new Error(`there are ${letters.length} dead letters, not one`);
  return letter;
}

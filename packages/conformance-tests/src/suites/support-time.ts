import type { CaseContext } from '../context.js';

/** An instant of the wall clock that lies behind everything before it and before everything after it. */
export async function nextMillisecond(t: CaseContext): Promise<Date> {
  const from = Date.now();
  await t.until('the clock to tick', () => Date.now() > from + 1);
  const instant = Date.now();
  await t.until('the clock to tick again', () => Date.now() > instant);
  return new Date(instant);
}

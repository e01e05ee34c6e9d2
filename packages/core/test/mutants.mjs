import { configuration } from './mutants/configuration.mjs';
import { deadLetters } from './mutants/dead-letters.mjs';
import { operation } from './mutants/operation.mjs';
import { ordering } from './mutants/ordering.mjs';
import { payloads } from './mutants/payloads.mjs';
import { publishing } from './mutants/publishing.mjs';
import { replay } from './mutants/replay.mjs';
import { retries } from './mutants/retries.mjs';
import { subscriptions } from './mutants/subscriptions.mjs';
import { tracing } from './mutants/tracing.mjs';

/** Core with one line broken, and the ids of the kit that are to find it in the in-memory bus. */
export const mutants = [
  ...publishing,
  ...subscriptions,
  ...payloads,
  ...configuration,
  ...ordering,
  ...retries,
  ...deadLetters,
  ...replay,
  ...tracing,
  ...operation,
];

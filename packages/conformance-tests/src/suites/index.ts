import type { Suite } from '../registry.js';
import { COMPETING } from './cc-competing.js';
import { CONFIGURATION } from './cf-configuration.js';
import { CONTRACT } from './ct-contract.js';
import { DEAD_LETTERS } from './dl-dead-letters.js';
import { FAULTS } from './fa-faults.js';
import { FAN_OUT } from './fg-fan-out.js';
import { LIFECYCLE } from './lc-lifecycle.js';
import { LOAD } from './ld-load.js';
import { ORDERING } from './or-ordering.js';
import { PAYLOADS } from './pl-payloads.js';
import { POISON } from './po-poison.js';
import { REPLAY } from './rp-replay.js';
import { RETRIES } from './rt-retries.js';
import { SECURITY } from './se-security.js';
import { STATS } from './st-stats.js';
import { SUBSCRIPTION } from './su-subscription.js';
import { TRACING } from './tr-tracing.js';

/** Every suite, in the order in which they run: first what the rest stands on. */
export const SUITES: readonly Suite[] = [
  CONTRACT,
  SUBSCRIPTION,
  PAYLOADS,
  CONFIGURATION,
  ORDERING,
  COMPETING,
  FAN_OUT,
  RETRIES,
  DEAD_LETTERS,
  REPLAY,
  POISON,
  TRACING,
  STATS,
  LIFECYCLE,
  SECURITY,
  FAULTS,
  LOAD,
];

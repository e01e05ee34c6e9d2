import type { Suite } from '../registry.js';
import { COMPETING } from './cc-competing.js';
import { CONFIGURATION } from './cf-configuration.js';
import { CONTRACT } from './ct-contract.js';
import { ORDERING } from './or-ordering.js';
import { PAYLOADS } from './pl-payloads.js';
import { SUBSCRIPTION } from './su-subscription.js';

/** Every suite, in the order in which they run: first what the rest stands on. */
export const SUITES: readonly Suite[] = [
  CONTRACT,
  SUBSCRIPTION,
  PAYLOADS,
  CONFIGURATION,
  ORDERING,
  COMPETING,
];

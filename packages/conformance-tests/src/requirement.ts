import type { Secured } from './security/secured.js';
import type { Faults, Inspect, RawClient, SubjectCapabilities } from './subject.js';

/** Something the bus and its broker can or cannot do. Lacking it makes a case `n/a`, or inverts it. */
export type CapabilityRequirement =
  | Exclude<keyof SubjectCapabilities, 'sharing'>
  | 'history-by-time'
  | 'sharing-by-event'
  | 'sharing-by-partition'
  | 'peer-client';

/** Something the subject may or may not provide. Lacking it makes a case `not-run`. */
export type ToolRequirement =
  | `inspect.${keyof Inspect}`
  | `faults.${keyof Faults}`
  | `raw.${keyof RawClient}`
  | `secured.${keyof Secured}`;

/** What a case needs. */
export type Requirement = CapabilityRequirement | ToolRequirement;

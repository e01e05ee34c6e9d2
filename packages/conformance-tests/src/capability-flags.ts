import type { CapabilityRequirement } from './registry.js';
import type { SubjectCapabilities } from './subject.js';

/** Capabilities that a subject may claim, and the requirement whose cases show that the claim is true. */
export const CAPABILITY_FLAGS: readonly {
  readonly requirement: CapabilityRequirement;
  readonly claimedBy: (capabilities: SubjectCapabilities) => boolean;
}[] = [
  { requirement: 'durable', claimedBy: (c) => c.durable },
  { requirement: 'competing', claimedBy: (c) => c.competing },
  { requirement: 'history', claimedBy: (c) => c.history !== 'none' },
  { requirement: 'history-by-time', claimedBy: (c) => c.history === 'time' },
  { requirement: 'processes', claimedBy: (c) => c.processes },
  { requirement: 'orderedRetry', claimedBy: (c) => c.orderedRetry },
  { requirement: 'retained', claimedBy: (c) => c.retained },
  { requirement: 'trimming', claimedBy: (c) => c.trimming },
  { requirement: 'topology', claimedBy: (c) => c.topology },
  { requirement: 'cloudEvents', claimedBy: (c) => c.cloudEvents },
  { requirement: 'security', claimedBy: (c) => c.security },
];

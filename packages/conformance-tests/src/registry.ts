import { catalogueEntry } from './catalogue.js';
import type { CaseContext } from './context.js';
import type { CapabilityRequirement, Requirement, ToolRequirement } from './requirement.js';
import type { ConformanceSubject } from './subject.js';

export type { CapabilityRequirement, Requirement, ToolRequirement } from './requirement.js';

/**
 * Thrown by a case that finds out only while it runs that it cannot show anything: a package that is not installed, a
 * tool that only some subjects need. The id becomes `not-run`, which fails the run where it is claimed.
 */
export class NotRunError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NotRunError';
  }
}

/** One test. An id may have several; it passes when all of them do. */
export interface ConformanceCase {
  /** An id of the catalogue. */
  readonly id: string;
  /** What it shows, as a sentence without its subject. @default the title of the id */
  readonly title?: string;
  readonly requires?: readonly Requirement[];
  /** Takes the place of `run` where a capability in `requires` is missing: shows that the bus says so. */
  readonly otherwise?: (context: CaseContext) => Promise<void>;
  /** @default 30000 */
  readonly timeoutMs?: number;
  /** Runs after all others: judges the whole run. @default false */
  readonly last?: boolean;
  run(context: CaseContext): Promise<void>;
}

/** The cases of one area, in the order in which they run. */
export interface Suite {
  readonly area: string;
  readonly cases: readonly ConformanceCase[];
}

/** Puts the cases of an area together. Throws for an id of another area. */
export function suite(area: string, cases: readonly ConformanceCase[]): Suite {
  for (const one of cases) {
    if (catalogueEntry(one.id).area !== area) throw new Error(`${one.id} does not belong to ${area}`);
  }
  return { area, cases };
}

/** Title of a case: starts with its id. */
export function titleOf(one: ConformanceCase): string {
  return `${one.id} ${one.title ?? catalogueEntry(one.id).title}`;
}

/** What a subject lacks for a case: a capability that is not there, or a tool that was not given. */
export interface Lack {
  readonly kind: 'capability' | 'tool';
  readonly requirement: Requirement;
}

/** The first thing that the subject lacks; capabilities first, since no tool would help then. */
export function lackOf(subject: ConformanceSubject, one: ConformanceCase): Lack | undefined {
  const requires = one.requires ?? [];
  for (const requirement of requires) {
    if (isTool(requirement) || hasCapability(subject, requirement)) continue;
    return { kind: 'capability', requirement };
  }
  for (const requirement of requires) {
    if (!isTool(requirement) || hasTool(subject, requirement)) continue;
    return FAULTS_OF_A_SERVER.has(requirement) && !subject.capabilities.sockets
      ? { kind: 'capability', requirement: 'sockets' }
      : { kind: 'tool', requirement };
  }
  return undefined;
}

/** What only a server, or the way to it, can suffer. */
const FAULTS_OF_A_SERVER: ReadonlySet<Requirement> = new Set<Requirement>([
  'faults.stop',
  'faults.kill',
  'faults.start',
  'faults.pause',
  'faults.resume',
  'faults.throughProxy',
]);

function isTool(requirement: Requirement): requirement is ToolRequirement {
  return requirement.includes('.');
}

function hasCapability(
  { capabilities, peerClient }: ConformanceSubject,
  requirement: CapabilityRequirement,
): boolean {
  if (requirement === 'peer-client') return peerClient !== undefined;
  if (requirement === 'sharing-by-event') return capabilities.sharing === 'event';
  if (requirement === 'sharing-by-partition') return capabilities.sharing === 'partition';
  if (requirement === 'history') return capabilities.history !== 'none';
  if (requirement === 'history-by-time') return capabilities.history === 'time';
  return capabilities[requirement];
}

function hasTool(subject: ConformanceSubject, requirement: ToolRequirement): boolean {
  const [owner, name] = requirement.split('.') as ['inspect' | 'faults' | 'raw' | 'secured', string];
  const tools = subject[owner] as Readonly<Record<string, unknown>> | undefined;
  return typeof tools?.[name] === 'function';
}

const CAPABILITY_IN_WORDS: Readonly<Record<CapabilityRequirement, string>> = {
  durable: 'events do not survive a restart of this broker',
  competing: 'a group of this bus has one member',
  history: 'this broker keeps no history',
  'history-by-time': 'this broker cannot read history from a time',
  processes: 'this bus lives inside one process: no other process can reach its broker',
  sockets: 'this bus reaches its broker without a socket',
  orderedRetry: 'this bus does not hold back a key while one of its events is retried',
  batchAtomic: 'this bus places the good events of a call when another is refused',
  retained: 'this broker keeps nothing for groups that do not exist yet: a new one starts with what comes',
  trimming: 'this broker never drops old events',
  topology: 'this bus takes what shape its stream has from its broker, so that the two cannot differ',
  'sharing-by-event': 'members of a group own partitions, and with them their keys: a slow one keeps its own',
  'sharing-by-partition': 'members of a group take event by event',
  cloudEvents: 'this bus has no codec for CloudEvents yet',
  'peer-client': 'this bus needs no client package beside it',
  security: 'the kit was given no broker that authenticates and encrypts',
};

/** The reason in words, for the report. */
export function lackInWords(lack: Lack): string {
  return lack.kind === 'tool'
    ? `the subject provides no ${lack.requirement}`
    : CAPABILITY_IN_WORDS[lack.requirement as CapabilityRequirement];
}

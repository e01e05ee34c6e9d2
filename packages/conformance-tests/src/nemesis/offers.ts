import type { ConformanceSubject, Faults } from '../subject.js';
import { FAULT_KINDS, type FaultKind } from './schedule.js';

/** Which faults a subject can be given, and why not the others. */
export interface Offers {
  readonly offered: readonly FaultKind[];
  readonly notOffered: Readonly<Partial<Record<FaultKind, string>>>;
}

const OF_NODES: ReadonlySet<FaultKind> = new Set([
  'node-kill',
  'node-freeze',
  'majority-kill',
  'rolling-restart',
]);

/** Only what the subject offers, and what what it promises can survive. */
export function offersOf(subject: ConformanceSubject): Offers {
  const offered: FaultKind[] = [];
  const notOffered: Partial<Record<FaultKind, string>> = {};
  for (const kind of FAULT_KINDS) {
    const reason = lackOf(kind, subject);
    if (reason === undefined) offered.push(kind);
    else notOffered[kind] = reason;
  }
  return { offered, notOffered };
}

function lackOf(kind: FaultKind, subject: ConformanceSubject): string | undefined {
  const { capabilities } = subject;
  if (kind === 'broker-restart')
    return capabilities.durable ? without(subject, 'stop', 'start') : 'events do not survive a restart';
  if (kind === 'broker-kill')
    return subject.survivesKill
      ? without(subject, 'kill', 'start')
      : 'the subject does not say that what its broker confirmed survives a kill (survivesKill)';
  if (kind === 'broker-freeze') return without(subject, 'pause', 'resume');
  if (OF_NODES.has(kind)) return subject.faults?.nodes ? undefined : 'the broker is a single node';
  if (kind.startsWith('network-'))
    return capabilities.sockets
      ? without(subject, 'throughProxy')
      : 'this broker is reached without a network';
  if (capabilities.processes) return undefined;
  if (kind === 'consumer-kill') return without(subject, 'killMember');
  if (kind === 'consumer-freeze') return without(subject, 'freezeMember', 'thawMember');
  return undefined;
}

function without({ faults = {} }: ConformanceSubject, ...needed: (keyof Faults)[]): string | undefined {
  const missing = needed.filter((name) => !faults[name]);
  return missing.length === 0 ? undefined : `the subject provides no faults.${missing.join(', no faults.')}`;
}

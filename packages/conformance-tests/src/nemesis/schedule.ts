import { randomFrom } from '../random.js';

/** What the nemesis can do, in the order of the table. */
export const FAULT_KINDS = [
  'broker-restart',
  'broker-kill',
  'broker-freeze',
  'node-kill',
  'node-freeze',
  'majority-kill',
  'rolling-restart',
  'network-cut',
  'network-half-open',
  'network-slow',
  'consumer-kill',
  'consumer-freeze',
  'consumer-join',
  'consumer-leave',
  'deploy',
] as const;

/** One of them. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault: what it is, and how much of it. */
export interface Fault {
  readonly kind: FaultKind;
  /** From the fault to its end. 0: it has no duration. */
  readonly forMs: number;
  /** Which of several: from 0 to 1, to be spread over those that are there. */
  readonly target: number;
  /** Of a slow network: how long each byte is held back in each direction. 0 for the others. */
  readonly delayMs: number;
}

/** A fault with its time, counted from the begin of the run. It comes later when the one before took longer. */
export interface ScheduledFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/** What a schedule is drawn from, beside the seed. */
export interface ScheduleRequest {
  readonly seed: number;
  readonly durationMs: number;
  readonly kinds: readonly FaultKind[];
  /** How long a member may be silent before it is taken for dead: some faults last longer, some do not. */
  readonly leaseMs: number;
}

const FIRST_AT_MS = 4_000;
const REST_MIN_MS = 6_000;
const REST_MAX_MS = 9_000;
/** The shortest lease that faults are measured by: a bus that has none of its own still gets faults that can be felt. */
const LEASE_MIN_MS = 2_000;

/** How long each kind lasts at least and at most; `leases` are multiples of the lease. */
const LASTS: Readonly<
  Record<
    FaultKind,
    { readonly ms: readonly [number, number] } | { readonly leases: readonly [number, number] }
  >
> = {
  'broker-restart': { ms: [300, 2_500] },
  'broker-kill': { ms: [300, 2_500] },
  'broker-freeze': { leases: [0.2, 1.3] },
  'node-kill': { ms: [3_000, 12_000] },
  'node-freeze': { leases: [0.4, 1.5] },
  'majority-kill': { ms: [3_000, 8_000] },
  'rolling-restart': { ms: [500, 2_000] },
  'network-cut': { ms: [0, 0] },
  'network-half-open': { leases: [0.4, 1.5] },
  'network-slow': { ms: [3_000, 7_000] },
  'consumer-kill': { ms: [300, 3_000] },
  'consumer-freeze': { leases: [0.3, 1.6] },
  'consumer-join': { ms: [4_000, 8_000] },
  'consumer-leave': { ms: [1_000, 5_000] },
  deploy: { ms: [0, 0] },
};
const DELAY_MIN_MS = 20;
const DELAY_MAX_MS = 300;

/**
 * What happens when. Pure: the same request gives the same schedule. Each kind comes once before any comes again, so that
 * a short run has seen most of them.
 */
export function scheduleOf(request: ScheduleRequest): readonly ScheduledFault[] {
  const { seed, durationMs, kinds } = request;
  const random = randomFrom(seed);
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const schedule: ScheduledFault[] = [];
  let round: FaultKind[] = [];
  for (let atMs = FIRST_AT_MS; ; ) {
    if (round.length === 0) round = shuffled(kinds, random);
    const kind = round.pop();
    if (kind === undefined) return schedule;
    const [least, most] = lasts(kind, request.leaseMs);
    const forMs = between(least, most);
    const delayMs = between(DELAY_MIN_MS, DELAY_MAX_MS);
    const fault = { kind, forMs, target: random(), delayMs: kind === 'network-slow' ? delayMs : 0 };
    // What begins ends, and is recovered from, before the run does.
    if (atMs + forMs + REST_MIN_MS > durationMs) return schedule;
    schedule.push({ atMs, fault });
    atMs += forMs + between(REST_MIN_MS, REST_MAX_MS);
  }
}

function lasts(kind: FaultKind, leaseMs: number): readonly [number, number] {
  const given = LASTS[kind];
  if ('ms' in given) return given.ms;
  const lease = Math.max(leaseMs, LEASE_MIN_MS);
  return [given.leases[0] * lease, given.leases[1] * lease];
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const left = [...items];
  for (let n = left.length - 1; n > 0; n -= 1) {
    const other = Math.floor(random() * (n + 1));
    [left[n], left[other]] = [left[other] as T, left[n] as T];
  }
  return left;
}

/** The fault in words. */
export function faultInWords({ kind, forMs, delayMs }: Fault): string {
  const parts = [
    kind,
    ...(forMs > 0 ? [`for ${forMs} ms`] : []),
    ...(delayMs > 0 ? [`${delayMs} ms each way`] : []),
  ];
  return parts.join(' ');
}

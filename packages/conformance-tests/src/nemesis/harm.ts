import type { EventBus } from '@omnibus/core';

import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { pause, until, within } from '../poll.js';
import type { BusOverrides, ProxiedSubject } from '../subject.js';
import { Crew } from './crew.js';
import type { InjectedFault } from './gaps.js';
import { inject, type Victims } from './injector.js';
import type { Offers } from './offers.js';
import { faultInWords, type ScheduledFault } from './schedule.js';
import { HANDLER_TIMEOUT_MS, MAX_RETRIES, NemesisPublisher } from './traffic.js';

/** What a run is asked to do. */
export interface NemesisOptions {
  readonly seed: number;
  /** How long publishers and faults are at work. The drain comes on top. */
  readonly durationMs: number;
  /** Told what happens, a line each. @default nobody */
  readonly onProgress?: (line: string) => void;
}

const GROUPS = ['alpha', 'beta'] as const;
/** Members of each group: those through the proxy suffer from the network, the others do not. */
const MEMBERS: Readonly<Record<(typeof GROUPS)[number], readonly ('direct' | 'proxied')[]>> = {
  alpha: ['direct', 'direct', 'proxied'],
  beta: ['direct', 'proxied'],
};
const CONSUMER_OPTIONS: BusOverrides = {
  concurrency: 16,
  maxInFlight: 64,
  handlerTimeoutMs: HANDLER_TIMEOUT_MS,
  retry: { maxRetries: MAX_RETRIES, baseDelayMs: 50, maxDelayMs: 400 },
};
/** Short, so that the application has to send again what the bus gave up. */
const IMPATIENT: BusOverrides = { publish: { timeoutMs: 4_000 } };
const RECOVERY_MS = 45_000;
const REST_MS = 3_000;
const DRAIN_MS = 240_000;

/** What was done, and what can be said of it only afterwards. */
export interface Harm {
  readonly faults: readonly InjectedFault[];
  readonly publishers: readonly NemesisPublisher[];
  readonly crew: Crew;
  readonly admins: ReadonlyMap<string, EventBus>;
  readonly endMs: number;
  readonly problems: string[];
}

/**
 * Publishes and consumes while the schedule does its harm, heals everything, and waits for the end. What cannot be done
 * or does not end is a problem of the run, and what happened until then is judged all the same.
 */
export async function harm(
  t: CaseContext,
  options: NemesisOptions,
  offers: Offers,
  schedule: readonly ScheduledFault[],
): Promise<Harm> {
  const { onProgress = () => {} } = options;
  const way = offers.offered.some((kind) => kind.startsWith('network-'))
    ? await t.faults.throughProxy()
    : undefined;
  healAfterwards(t, way);
  const admins = new Map<string, EventBus>();
  for (const group of GROUPS) admins.set(group, await t.bus({ group }));
  for (const admin of admins.values()) await admin.ensureGroup();
  const crew = new Crew(t, CONSUMER_OPTIONS);
  for (const group of GROUPS) {
    MEMBERS[group].forEach((kind, n) => {
      crew.open(`${group}-${n + 1}`, group, kind === 'proxied' ? way : undefined);
    });
  }
  t.onCleanup(() => crew.close());
  await crew.staffed();
  const publishers = await startPublishers(t, options.seed, way);
  const problems: string[] = [];
  const attempt = async (step: () => Promise<unknown>): Promise<boolean> => {
    try {
      await step();
      return true;
    } catch (error) {
      problems.push((error as Error).message);
      return false;
    }
  };
  const startedAtMs = monotonicMs();
  const victims = { t, crew, groups: GROUPS, way };
  const faults: InjectedFault[] = [];
  for (const scheduled of schedule) {
    await pause(scheduled.atMs - (monotonicMs() - startedAtMs));
    const injected = async (): Promise<unknown> =>
      faults.push(await injectOne(scheduled, victims, startedAtMs, onProgress));
    if (!(await attempt(injected))) break;
  }
  if (problems.length === 0) await pause(options.durationMs - (monotonicMs() - startedAtMs));
  const endMs = monotonicMs();
  onProgress('the faults are over: publishers finish, consumers drain');
  await attempt(() =>
    within('the publishers to finish', Promise.all(publishers.map((p) => p.stop())), DRAIN_MS),
  );
  await attempt(() => drain(crew, admins));
  await attempt(() => crew.count());
  crew.close();
  return { faults, publishers, crew, admins, endMs, problems };
}

/** Whatever a run that was ended early left broken. */
function healAfterwards(t: CaseContext, way: ProxiedSubject | undefined): void {
  const { resume, start } = t.subject.faults ?? {};
  if (start) t.onCleanup(() => start());
  if (resume) t.onCleanup(() => resume());
  if (way) t.onCleanup(() => way.close());
}

async function startPublishers(
  t: CaseContext,
  seed: number,
  way: ProxiedSubject | undefined,
): Promise<readonly NemesisPublisher[]> {
  const patient = await t.bus();
  const impatient = await t.bus({ overrides: IMPATIENT, ...(way ? { through: way } : {}) });
  const publishers = [
    new NemesisPublisher(t, { name: 'patient', seed, bus: patient, kills: true }),
    new NemesisPublisher(t, { name: 'impatient', seed: seed + 1, bus: impatient, kills: false }),
  ];
  for (const publisher of publishers) {
    t.onCleanup(() => publisher.abandon());
    publisher.start();
  }
  return publishers;
}

async function injectOne(
  { fault }: ScheduledFault,
  victims: Victims,
  startedAtMs: number,
  onProgress: (line: string) => void,
): Promise<InjectedFault> {
  const { t, crew } = victims;
  const words = faultInWords(fault);
  const fromMs = monotonicMs();
  onProgress(`${((fromMs - startedAtMs) / 1_000).toFixed(1).padStart(7)} s  ${words}`);
  await inject(fault, victims);
  const untilMs = monotonicMs();
  const before = GROUPS.map((group) => t.history.handled(group));
  const handling = (): boolean => GROUPS.every((group, n) => t.history.handled(group) > (before[n] ?? 0));
  // How long it takes is told by the gaps; that nothing comes at all is seen when the groups drain.
  await until('both groups to handle again', handling, { withinMs: RECOVERY_MS, everyMs: 20 }).catch(
    () => {},
  );
  const recovered = monotonicMs() - untilMs;
  await crew.staffed();
  onProgress(
    `           over after ${seconds(untilMs - fromMs)}, handling again after ${seconds(recovered)}`,
  );
  await pause(REST_MS);
  return { kind: fault.kind, words, fromMs, untilMs };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Until the groups have nothing left to do on the broker, and their members nothing in hand. */
async function drain(crew: Crew, admins: ReadonlyMap<string, EventBus>): Promise<void> {
  for (const [group, admin] of admins) {
    await until(`${group} to drain`, () => withoutLag(admin), { withinMs: DRAIN_MS, everyMs: 200 });
  }
  await crew.staffed();
  const members = crew.places.flatMap(({ member }) => (member ? [member] : []));
  await until(
    'consumers to have nothing in hand',
    async () => {
      const stats = await Promise.all(members.map((member) => member.stats()));
      return stats.every(({ inFlight }) => inFlight === 0);
    },
    { withinMs: DRAIN_MS, everyMs: 100 },
  );
}

/** Says how far it is behind, for the message when the time is up. */
async function withoutLag(admin: EventBus): Promise<true> {
  const { total, partitions } = await admin.lag();
  if (total === 0) return true;
  const behind = partitions.filter(({ lag }) => lag > 0).map(({ partition, lag }) => `p${partition}: ${lag}`);
  throw new Error(`still ${total} events behind (${behind.join(', ')})`);
}

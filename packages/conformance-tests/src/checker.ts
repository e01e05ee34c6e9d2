import type { DeliveryRecord, HistorySnapshot, PublishRecord } from './history.js';

/** What is to be checked. */
export interface CheckOptions {
  /** The group whose deliveries are judged. */
  readonly group: string;
  /** Only runs of this handler. @default all of the group; each handler is then judged by itself */
  readonly handler?: string;
  /** Only these events were meant for the group. @default all */
  readonly meantFor?: (publish: PublishRecord) => boolean;
  /** Events that the group gave up on: settled without success, dead-lettered or dropped. @default none */
  readonly givenUp?: ReadonlySet<string>;
  /**
   * Whether this run was the last that an event given up was due: what is given up, and comes again after a crash, was
   * settled the first time. @default the last of its runs
   */
  readonly isFinal?: (run: DeliveryRecord) => boolean;
  /** Attempts that an event may have at most. @default not judged */
  readonly maxAttempts?: number;
  /**
   * What keeps an order: each key, or each publisher within each key (publishers that run side by side agree on no
   * order between them). @default 'key'
   */
  readonly order?: 'key' | 'publisher-and-key';
}

/** One thing that is wrong, with what is needed to find it in the history. */
export interface Anomaly {
  readonly eventId: string;
  readonly key: string;
  readonly sequence: number;
  readonly detail: string;
}

/** The verdict on one group. Without faults every list is empty. */
export interface CheckReport {
  readonly group: string;
  /** Confirmed, and neither handled nor given up. */
  readonly lost: readonly Anomaly[];
  /** Delivered, although never published or definitely refused. */
  readonly unexpected: readonly Anomaly[];
  /** Delivered again although the delivery before had not failed: its consumer was lost, or the work was done. */
  readonly duplicated: readonly Anomaly[];
  /** Those of `duplicated` whose work had been done before. */
  readonly repeated: readonly Anomaly[];
  /** Delivered, although the publisher was never told that it was accepted. */
  readonly recovered: readonly Anomaly[];
  /** Delivered first after a later event of its key; duplicates do not count. */
  readonly reordered: readonly Anomaly[];
  /** Overtaken while not settled: a later event of its key was delivered before it succeeded or was given up. */
  readonly skipped: readonly Anomaly[];
  /** Started while a handler of another delivery of its key was running. */
  readonly overlapping: readonly Anomaly[];
  /** Handled in an attempt beyond the maximum. */
  readonly overAttempted: readonly Anomaly[];
  /** Events confirmed, and events handled with success. */
  readonly published: number;
  readonly handled: number;
}

/** The kinds of anomaly, in the order in which they matter. */
export const ANOMALIES = [
  'lost',
  'reordered',
  'skipped',
  'overlapping',
  'overAttempted',
  'duplicated',
  'unexpected',
  'recovered',
] as const;

/** A kind of anomaly. */
export type AnomalyKind = (typeof ANOMALIES)[number];

/** Judges what one group saw of what was published. Pure. */
export function check(history: HistorySnapshot, options: CheckOptions): CheckReport {
  const meantFor = options.meantFor ?? (() => true);
  const publishes = history.publishes.filter(meantFor);
  const deliveries = history.deliveries.filter(
    (d) => d.group === options.group && (options.handler === undefined || d.handler === options.handler),
  );
  const byHandler = groupBy(deliveries, (d) => d.handler);
  // A group that was given nothing has no handler to judge, and everything to miss.
  if (byHandler.size === 0) byHandler.set(options.handler ?? 'main', []);
  const parts = [...byHandler.values()].map((runs) =>
    judgeHandler(publishes, history.publishes, runs, options),
  );
  const all = <K extends keyof HandlerVerdict>(kind: K): Anomaly[] => parts.flatMap((part) => part[kind]);
  return {
    group: options.group,
    lost: all('lost'),
    unexpected: all('unexpected'),
    duplicated: all('duplicated'),
    repeated: all('repeated'),
    recovered: all('recovered'),
    reordered: all('reordered'),
    skipped: all('skipped'),
    overlapping: findOverlapping(deliveries),
    overAttempted: findOverAttempted(deliveries, options.maxAttempts ?? Number.POSITIVE_INFINITY),
    published: publishes.filter((p) => p.outcome === 'ok').length,
    handled: new Set(deliveries.filter((d) => d.outcome === 'ok').map((d) => d.eventId)).size,
  };
}

interface HandlerVerdict {
  readonly lost: Anomaly[];
  readonly unexpected: Anomaly[];
  readonly duplicated: Anomaly[];
  readonly repeated: Anomaly[];
  readonly recovered: Anomaly[];
  readonly reordered: Anomaly[];
  readonly skipped: Anomaly[];
}

/** One event as one handler saw it. */
interface Seen {
  readonly runs: readonly DeliveryRecord[];
  readonly firstStartMs: number;
  /** When it was done with: first success, or the last failure of an event given up. Undefined: not yet. */
  readonly settledAtMs: number | undefined;
}

function judgeHandler(
  meant: readonly PublishRecord[],
  everything: readonly PublishRecord[],
  runs: readonly DeliveryRecord[],
  options: CheckOptions,
): HandlerVerdict {
  const givenUp = options.givenUp ?? new Set<string>();
  const seen = new Map(
    [...groupBy(runs, (d) => d.eventId)].map(([id, own]) => [
      id,
      summarise(own, givenUp.has(id), options.isFinal),
    ]),
  );
  const known = new Map(everything.map((p) => [p.eventId, p]));
  return {
    lost: findLost(meant, seen, givenUp),
    unexpected: findUnexpected(new Set(meant.map((p) => p.eventId)), known, seen),
    ...findDuplicates(seen),
    recovered: meant
      .filter((p) => (p.outcome === 'unknown' || p.outcome === 'pending') && seen.has(p.eventId))
      .map((p) => anomaly(p, `delivered, and its publish ended as ${p.outcome}`)),
    ...findDisorder(meant, seen, givenUp, options.order ?? 'key'),
  };
}

function summarise(
  runs: readonly DeliveryRecord[],
  isGivenUp: boolean,
  isFinal: (run: DeliveryRecord) => boolean = () => false,
): Seen {
  const settling = runs.filter((d) => d.outcome === 'ok' || (isGivenUp && isFinal(d))).map(endOf);
  // An event may be given up because its handlers fail, or because they take their process with them.
  const settledAtMs =
    settling.length > 0 ? Math.min(...settling) : isGivenUp ? Math.max(...runs.map(endOf)) : undefined;
  return { runs, firstStartMs: runs[0]?.startedAtMs ?? Number.POSITIVE_INFINITY, settledAtMs };
}

function findLost(
  meant: readonly PublishRecord[],
  seen: ReadonlyMap<string, Seen>,
  givenUp: ReadonlySet<string>,
): Anomaly[] {
  const lost: Anomaly[] = [];
  for (const publish of meant) {
    if (publish.outcome !== 'ok' || givenUp.has(publish.eventId)) continue;
    const own = seen.get(publish.eventId);
    if (!own) lost.push(anomaly(publish, 'confirmed and never delivered'));
    else if (!own.runs.some((d) => d.outcome === 'ok')) {
      lost.push(
        anomaly(
          publish,
          `delivered ${own.runs.length} times and never handled (last: ${own.runs.at(-1)?.outcome})`,
        ),
      );
    }
  }
  return lost;
}

function findUnexpected(
  meant: ReadonlySet<string>,
  known: ReadonlyMap<string, PublishRecord>,
  seen: ReadonlyMap<string, Seen>,
): Anomaly[] {
  const unexpected: Anomaly[] = [];
  for (const [eventId, own] of seen) {
    const publish = known.get(eventId);
    const first = own.runs[0];
    if (!first) continue;
    if (!publish) unexpected.push(anomaly(first, 'delivered and never published'));
    else if (publish.outcome === 'failed')
      unexpected.push(anomaly(first, `delivered, and its publish was refused: ${publish.error}`));
    else if (!meant.has(eventId))
      unexpected.push(anomaly(first, 'delivered to a group that it was not meant for'));
  }
  return unexpected;
}

function findDuplicates(seen: ReadonlyMap<string, Seen>): Pick<HandlerVerdict, 'duplicated' | 'repeated'> {
  const duplicated: Anomaly[] = [];
  const repeated: Anomaly[] = [];
  for (const { runs } of seen.values()) {
    let done = false;
    for (const [index, run] of runs.entries()) {
      const before = runs[index - 1];
      if (before && (before.outcome !== 'failed' || done)) {
        const found = anomaly(
          run,
          `delivery ${index + 1} to ${run.consumer}, after one to ${before.consumer} that was ${before.outcome}`,
        );
        duplicated.push(found);
        if (done) repeated.push(found);
      }
      done ||= run.outcome === 'ok';
    }
  }
  return { duplicated, repeated };
}

/**
 * Looks at every event of a lane together with the one before it: what its predecessor had not finished when it
 * started has been overtaken. Looking one step back is enough, since the step before was looked at in the same way.
 */
function findDisorder(
  meant: readonly PublishRecord[],
  seen: ReadonlyMap<string, Seen>,
  givenUp: ReadonlySet<string>,
  order: 'key' | 'publisher-and-key',
): Pick<HandlerVerdict, 'reordered' | 'skipped'> {
  const reordered: Anomaly[] = [];
  const skipped: Anomaly[] = [];
  const lanes = groupBy(meant, (p) => (order === 'key' ? p.key : `${p.publisher}\u0000${p.key}`));
  for (const lane of lanes.values()) {
    const bySequence = lane.filter((p) => p.outcome !== 'failed').sort((a, b) => a.sequence - b.sequence);
    let predecessor: PublishRecord | undefined;
    let earliestLaterStart = Number.POSITIVE_INFINITY;
    for (const publish of [...bySequence].reverse()) {
      const own = seen.get(publish.eventId);
      if (!own) continue;
      if (own.firstStartMs > earliestLaterStart)
        reordered.push(anomaly(publish, 'delivered first after a later event of its key'));
      earliestLaterStart = Math.min(earliestLaterStart, own.firstStartMs);
    }
    for (const publish of bySequence) {
      const own = seen.get(publish.eventId);
      if (own && predecessor && isOvertaken(predecessor, own, seen, givenUp)) {
        skipped.push(
          anomaly(predecessor, `${publish.key}#${publish.sequence} was delivered before it was settled`),
        );
      }
      // What may not have been stored, or was given up unread, overtakes nothing and holds nothing back.
      if (own || (publish.outcome === 'ok' && !givenUp.has(publish.eventId))) predecessor = publish;
    }
  }
  return { reordered, skipped };
}

function isOvertaken(
  predecessor: PublishRecord,
  successor: Seen,
  seen: ReadonlyMap<string, Seen>,
  givenUp: ReadonlySet<string>,
): boolean {
  const own = seen.get(predecessor.eventId);
  if (!own) return !givenUp.has(predecessor.eventId);
  // Delivered later is `reordered`, and told there.
  if (own.firstStartMs > successor.firstStartMs) return false;
  return own.settledAtMs === undefined || own.settledAtMs > successor.firstStartMs;
}

function findOverlapping(deliveries: readonly DeliveryRecord[]): Anomaly[] {
  const overlapping: Anomaly[] = [];
  for (const runs of groupBy(deliveries, (d) => d.key).values()) {
    let latest: DeliveryRecord | undefined;
    for (const run of runs) {
      if (latest && endOf(latest) > run.startedAtMs) {
        overlapping.push(
          anomaly(
            run,
            `started at ${run.consumer} while ${latest.key}#${latest.sequence} was running at ${latest.consumer}`,
          ),
        );
      }
      if (!latest || endOf(run) > endOf(latest)) latest = run;
    }
  }
  return overlapping;
}

function findOverAttempted(deliveries: readonly DeliveryRecord[], maxAttempts: number): Anomaly[] {
  return deliveries
    .filter((run) => run.attempt > maxAttempts)
    .map((run) => anomaly(run, `attempt ${run.attempt} of at most ${maxAttempts}`));
}

/** The earlier of the two: what a frozen consumer had ended may be told only after its freeze was noted. */
function endOf(run: DeliveryRecord): number {
  return Math.min(run.abandonedAtMs ?? Number.POSITIVE_INFINITY, run.endedAtMs ?? Number.POSITIVE_INFINITY);
}

function anomaly(at: { eventId: string; key: string; sequence: number }, detail: string): Anomaly {
  return { eventId: at.eventId, key: at.key, sequence: at.sequence, detail };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const SHOWN_PER_KIND = 3;

/** Whether nothing is wrong, or nothing but the kinds that the test tolerates. */
export function isClean(report: CheckReport, tolerated: readonly AnomalyKind[] = []): boolean {
  return ANOMALIES.every((kind) => tolerated.includes(kind) || report[kind].length === 0);
}

/** The verdict in words, with the history of the first anomalies of each kind. */
export function explain(report: CheckReport, history: HistorySnapshot): string {
  const lines = [`group ${report.group}: ${report.handled} of ${report.published} handled`];
  for (const kind of ANOMALIES) {
    const found = report[kind];
    if (found.length === 0) continue;
    lines.push(`${found.length} ${kind}:`);
    for (const one of found.slice(0, SHOWN_PER_KIND)) {
      lines.push(`  ${one.key}#${one.sequence} (${one.eventId}): ${one.detail}`);
      lines.push(...excerpt(history, report.group, one));
    }
  }
  return lines.join('\n');
}

const NEIGHBOURS = 2;
const EXCERPT_MAX_LINES = 12;

function excerpt(history: HistorySnapshot, group: string, one: Anomaly): string[] {
  const runs = history.deliveries.filter(
    (d) => d.group === group && d.key === one.key && Math.abs(d.sequence - one.sequence) <= NEIGHBOURS,
  );
  const start = runs[0]?.startedAtMs ?? 0;
  return runs.slice(0, EXCERPT_MAX_LINES).map((d) => {
    const end =
      d.endedAtMs === undefined
        ? d.abandonedAtMs === undefined
          ? '…'
          : '†'
        : (d.endedAtMs - start).toFixed(1);
    return `    ${(d.startedAtMs - start).toFixed(1)}–${end} ms ${d.key}#${d.sequence} attempt ${d.attempt} at ${d.consumer} p${d.partition}@${d.position}: ${d.outcome}`;
  });
}

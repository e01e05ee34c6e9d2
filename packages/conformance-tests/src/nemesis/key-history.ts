import type { Anomaly } from '../checker.js';
import type { DeliveryRecord, HistorySnapshot, PublishRecord } from '../history.js';
import type { InjectedFault } from './gaps.js';

/** What broke, and for which group. */
export interface Breach {
  readonly group: string;
  readonly kind: string;
  readonly anomaly: Anomaly;
}

const NEIGHBOURS = 1;

/** The shortest history that shows one of the breaches: the event, its neighbours in its key, and the faults meanwhile. */
export function shortestHistory(
  history: HistorySnapshot,
  faults: readonly InjectedFault[],
  breaches: readonly Breach[],
): readonly string[] {
  let shortest: readonly string[] = [];
  for (const breach of breaches) {
    const lines = historyOf(history, faults, breach);
    if (shortest.length === 0 || lines.length < shortest.length) shortest = lines;
  }
  return shortest;
}

function historyOf(
  { publishes, deliveries }: HistorySnapshot,
  faults: readonly InjectedFault[],
  { group, kind, anomaly }: Breach,
): readonly string[] {
  const concerns = (one: { readonly key: string; readonly sequence: number }): boolean =>
    one.key === anomaly.key && Math.abs(one.sequence - anomaly.sequence) <= NEIGHBOURS;
  const lines = [
    ...publishes.filter(concerns).flatMap(publishLines),
    ...deliveries.filter((run) => run.group === group && concerns(run)).flatMap(runLines),
  ];
  const times = lines.map(({ atMs }) => atMs);
  const fromMs = Math.min(...times);
  const untilMs = Math.max(...times);
  for (const fault of faults) {
    if (fault.untilMs < fromMs || fault.fromMs > untilMs) continue;
    lines.push({ atMs: fault.fromMs, text: `-- ${fault.words}` });
    lines.push({ atMs: fault.untilMs, text: `-- ${fault.kind} is over` });
  }
  const title = `${kind} in ${group}: ${anomaly.key}#${anomaly.sequence} (${anomaly.eventId}): ${anomaly.detail}`;
  const sorted = lines.sort((a, b) => a.atMs - b.atMs);
  return [title, ...sorted.map(({ atMs, text }) => `${(atMs - fromMs).toFixed(1).padStart(10)} ms  ${text}`)];
}

interface Line {
  readonly atMs: number;
  readonly text: string;
}

function publishLines(record: PublishRecord): readonly Line[] {
  const name = `${record.key}#${record.sequence}`;
  const settled =
    record.settledAtMs === undefined
      ? []
      : [{ atMs: record.settledAtMs, text: `${name} published: ${record.outcome} ${record.error ?? ''}` }];
  return [{ atMs: record.invokedAtMs, text: `${name} to be published by ${record.publisher}` }, ...settled];
}

function runLines(run: DeliveryRecord): readonly Line[] {
  const name = `${run.key}#${run.sequence} attempt ${run.attempt} at ${run.consumer}`;
  const place = `p${run.partition}@${run.position}${run.redelivered ? ', redelivered' : ''}`;
  const lines = [{ atMs: run.startedAtMs, text: `${name} started (${place})` }];
  if (run.abandonedAtMs !== undefined)
    lines.push({ atMs: run.abandonedAtMs, text: `${name}: its consumer is gone` });
  if (run.endedAtMs !== undefined)
    lines.push({ atMs: run.endedAtMs, text: `${name} ended: ${run.outcome} ${run.error ?? ''}` });
  return lines;
}

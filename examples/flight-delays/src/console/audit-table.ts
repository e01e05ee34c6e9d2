import type { Audit } from '../audit/audit.js';
import type { GroupAudit } from '../audit/group-audit.js';
import { formatCount } from './format.js';
import { table } from './table.js';
import type { Terminal } from './terminal.js';

/** What the audit table shows beside the audit. */
export interface RunFacts {
  readonly airports: number;
  readonly routes: number;
}

const ROWS: readonly (readonly [label: string, value: (audited: GroupAudit) => number])[] = [
  ['handled', ({ handled }) => handled],
  ['lost', ({ lost }) => lost],
  ['duplicated', ({ duplicated }) => duplicated],
  ['reordered', ({ reordered }) => reordered],
  ['retried', ({ retried }) => retried],
  ['dead-lettered', ({ deadLettered }) => deadLettered],
  ['replayed', ({ replayed }) => replayed],
  ['events per second', ({ eventsPerSecond }) => eventsPerSecond],
];

/** Shows the audit, and in words what is wrong or that nothing is. */
export function showAudit({ say, paint }: Terminal, audited: Audit, facts: RunFacts): void {
  const { groups, published } = audited;
  const [header = '', ...lines] = table(
    ['', ...groups.map(({ group }) => group)],
    [
      ['published', ...groups.map(() => formatCount(published))],
      ...ROWS.map(([label, value]) => [label, ...groups.map((group) => formatCount(value(group)))]),
    ],
  );
  say(`\n${paint.bold('Audit')}\n${paint.dim(header)}\n${lines.join('\n')}`);
  say(`\n${counterLine(audited)}`);
  if (audited.problems.length > 0) {
    say(paint.red(`The audit found:\n${audited.problems.map((problem) => `  - ${problem}`).join('\n')}`));
    return;
  }
  say(`The results equal the file's: ${facts.airports} airports, ${formatCount(facts.routes)} routes.`);
  say(paint.green(`Clean: ${verdict(audited)}`));
}

function counterLine({ died, counters }: Audit): string {
  if (died > 0) return "The buses' own counters cannot be compared: those of a killed process died with it.";
  const checks = Object.values(counters).flat();
  const equal = checks.filter(({ bus, recorded }) => bus === recorded).length;
  return `The buses' own counters: ${equal} of ${checks.length} equal what the handlers recorded.`;
}

function verdict({ died, groups }: Audit): string {
  if (died === 0) return 'nothing was lost, doubled or out of order.';
  const repeated = groups.reduce((sum, { duplicated }) => sum + duplicated, 0);
  const killed = died === 1 ? '1 process was killed' : `${died} processes were killed`;
  return `nothing was lost or out of order, though ${killed}; ${repeated} events were handled again and counted once.`;
}

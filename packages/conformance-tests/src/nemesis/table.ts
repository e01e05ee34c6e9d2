import type { FaultRow, GroupRow, NemesisReport } from './report.js';
import { faultInWords, type ScheduledFault } from './schedule.js';

/** Columns of a group, in order, with what stands above them. */
const COLUMNS: readonly (readonly [keyof GroupRow, string])[] = [
  ['group', 'group'],
  ['published', 'published'],
  ['unanswered', 'sent again'],
  ['handled', 'handled'],
  ['dead', 'dead'],
  ['unlucky', 'unlucky'],
  ['duplicated', 'duplicated'],
  ['recovered', 'recovered'],
  ['lost', 'lost'],
  ['unexpected', 'unexpected'],
  ['reordered', 'reordered'],
  ['skipped', 'skipped'],
  ['overlapping', 'overlaps'],
  ['overAttempted', 'attempts over'],
  ['lettersMissing', 'letters missing'],
  ['lettersUnexpected', 'letters wrong'],
];

/** The schedule, a line each. */
export function scheduleInWords(schedule: readonly ScheduledFault[]): readonly string[] {
  return schedule.map(
    ({ atMs, fault }) => `${(atMs / 1_000).toFixed(1).padStart(7)} s  ${faultInWords(fault)}`,
  );
}

/** The report as text. Ends with what to do to see it again, when something is wrong. */
export function reportInWords(report: NemesisReport, repeat: string): string {
  const seconds = Math.round(report.durationMs / 1_000);
  const lines = [
    `nemesis of ${report.bus} (${report.broker}), ${seconds} s, seed ${report.seed}`,
    '',
    ...aligned([COLUMNS.map(([, title]) => title), ...report.groups.map(groupCells)]),
    '',
    ...aligned([['fault', 'times', 'longest gap', ''], ...report.faults.map(faultCells)]),
    '',
    `${report.ownDeaths} consumers were killed by what they handled`,
    ...report.problems,
  ];
  if (report.shortestHistory.length > 0) lines.push('', ...report.shortestHistory);
  lines.push('', report.clean ? 'clean' : `NOT CLEAN. Seed ${report.seed}; to repeat it: ${repeat}`);
  return `${lines.join('\n')}\n`;
}

function groupCells(row: GroupRow): readonly string[] {
  return COLUMNS.map(([name]) => String(row[name]));
}

function faultCells({ kind, injected, longestGapMs, notOffered }: FaultRow): readonly string[] {
  const gap = longestGapMs === undefined ? '' : `${longestGapMs} ms`;
  return [kind, String(injected), gap, notOffered === undefined ? '' : `not offered: ${notOffered}`];
}

/** Text to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || (column === widths.length - 1 && !/^\d*$/.test(cell))
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

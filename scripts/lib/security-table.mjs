import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { markdownTable } from './markdown-table.mjs';

/**
 * @param {string} folder where the reports are
 * @returns {any[]} in the order of their buses' names
 */
export function readSecurityReports(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^security-.+\.json$/.test(file))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

/**
 * The matrix as Markdown: a table per bus, with a row per condition and a column per way in.
 *
 * @param {any[]} reports
 */
export function securityTablesOf(reports) {
  if (reports.length === 0) return 'No report yet: `npm run test:security` writes them.';
  return [
    ...reports.flatMap(tableOf),
    '✓: it came as the second column says. ·: the condition does not exist there. ✗: it came otherwise.',
  ].join('\n');
}

function tableOf({ bus, broker, cells }) {
  const doors = [...new Set(cells.map(doorOf))];
  const conditions = [...new Set(cells.map(({ condition }) => condition))];
  return [
    `**${bus}** (${broker?.name} ${broker?.version})`,
    '',
    markdownTable(
      ['condition', 'what must come of it', ...doors],
      conditions.map((condition) => {
        const expected = cells.find((cell) => cell.condition === condition)?.expected;
        const marks = doors.map((door) =>
          markOf(cells.find((cell) => cell.condition === condition && doorOf(cell) === door)),
        );
        return [condition, expected === 'works' ? 'works' : `\`${expected}\``, ...marks];
      }),
    ),
    '',
  ];
}

function doorOf({ protocol, mechanism }) {
  return mechanism === 'none' ? protocol : `${protocol}, ${mechanism}`;
}

function markOf(cell) {
  if (cell === undefined) return '·';
  return cell.passed ? '✓' : '✗';
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a user is promised, by the two letters that the ids of its tests begin with. */
const AREAS = {
  CT: 'Publishing: what is confirmed is delivered',
  SU: 'Subscribing: the right handlers, each once',
  PL: 'Payloads arrive as they were sent',
  CF: 'Configuration mistakes are refused, by name',
  OR: 'Order per key, also through retries',
  CC: 'Competing consumers share the work',
  FG: 'Every group receives every event',
  RT: 'Retries, counted across crashes',
  DL: 'Dead letters: complete, listed, replayed',
  RP: 'Replay of the history',
  PO: 'Poison stalls nothing',
  TR: 'Traces go through',
  ST: 'Stats and health tell the truth',
  LC: 'Lifecycle and drain',
  SE: 'Security',
  FA: 'Faults of network, broker and process',
  LD: 'Load, bounded memory',
};

const MARKS = { pass: '✓', fail: '✗', 'not-run': '–', 'n/a': 'n/a' };

/**
 * @param {string} folder where the reports are
 * @returns {any[]} in the order of their buses' names, the in-memory bus first
 */
export function readReports(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^conformance-.+\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')))
    .sort((a, b) => Number(b.bus === 'memory') - Number(a.bus === 'memory') || a.bus.localeCompare(b.bus));
}

/**
 * The matrix as Markdown: a row per area, a column per bus, and below it every id that did not pass, with
 * its reason.
 *
 * @param {any[]} reports
 */
export function matrixOf(reports) {
  if (reports.length === 0) return 'No report yet: `npm run conformance:report` writes them.';
  const areas = Object.keys(AREAS).filter((area) => reports.some((report) => idsOf(report, area).length > 0));
  const unknown = reports.flatMap(({ ids }) => Object.keys(ids)).filter((id) => !(id.slice(0, 2) in AREAS));
  if (unknown.length > 0) throw new Error(`No area is known for ${[...new Set(unknown)].join(', ')}.`);
  return [
    row(['', 'Guarantee', ...reports.map(columnTitle)]),
    row(['---', '---', ...reports.map(() => '---')]),
    ...areas.map((area) => row([area, AREAS[area], ...reports.map((report) => cell(report, area))])),
    '',
    ...reports.flatMap(exceptions),
    '✓ n of n: so many ids of the area passed, of those that apply to the bus. Every id is described in the conformance kit.',
  ].join('\n');
}

function row(cells) {
  return `| ${cells.join(' | ')} |`;
}

function columnTitle({ bus, broker }) {
  return broker?.version ? `${bus} (${broker.name} ${broker.version})` : bus;
}

function idsOf(report, area) {
  return Object.entries(report.ids).filter(([id]) => id.startsWith(area));
}

function cell(report, area) {
  const applying = idsOf(report, area).filter(([, { status }]) => status !== 'n/a');
  if (applying.length === 0) return MARKS['n/a'];
  const passed = applying.filter(([, { status }]) => status === 'pass').length;
  const failed = applying.some(([, { status }]) => status === 'fail');
  const mark = failed ? MARKS.fail : passed < applying.length ? MARKS['not-run'] : MARKS.pass;
  return `${mark} ${passed} of ${applying.length}`;
}

function exceptions(report) {
  const lines = Object.entries(report.ids)
    .filter(([, { status }]) => status !== 'pass')
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([id, { status, reason }]) => `- ${report.bus}, ${id}: ${status}${reason ? `, ${reason}` : ''}`);
  return lines.length > 0 ? [...lines, ''] : [];
}

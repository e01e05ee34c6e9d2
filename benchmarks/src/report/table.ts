import type { Spread } from '../statistics.js';
import { type Comparison, isReached, type Row, type Unit } from './row.js';

const HEADER = ['cell', 'what', 'unit', 'bus', 'raw client', 'compared', 'target', ''];
/** Columns of text; the others are numbers, to the right. */
const TEXT_COLUMNS = 3;

/** The rows as lines of text: medians, with the least and the greatest of the rounds in brackets. */
export function tableOf(rows: readonly Row[]): readonly string[] {
  const cells = [HEADER, ...rows.map(cellsOf)];
  const widths = HEADER.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) =>
        column < TEXT_COLUMNS ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf({ cell, what, unit, bus, raw, comparison }: Row): readonly string[] {
  return [
    cell,
    what,
    unit,
    spreadText(bus, digitsOf(unit)),
    raw ? spreadText(raw, digitsOf(unit)) : '–',
    comparison.kind === 'bus alone' ? '–' : `${comparison.kind} ${spreadText(comparison.value, 2)}`,
    targetText(comparison),
    verdictOf(comparison),
  ];
}

function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${number(median, digits)} (${number(min, digits)}–${number(max, digits)})`;
}

function targetText({ target }: Comparison): string {
  if (!target) return '–';
  return `${target.kind === 'at least' ? '≥' : '≤'} ${target.bound}`;
}

function verdictOf(comparison: Comparison): string {
  const reached = isReached(comparison);
  return reached === undefined ? '' : reached ? 'reached' : 'missed';
}

function digitsOf(unit: Unit): number {
  return unit === 'events/s' ? 0 : unit === 'MiB' ? 1 : 2;
}

function number(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

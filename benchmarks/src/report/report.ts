import type { RunResult } from '../run.js';
import type { Machine } from './machine.js';
import { tableOf } from './table.js';

/** A run with what one must know to read it. */
export interface Report extends RunResult {
  readonly machine: Machine;
  readonly rounds: number;
  readonly events: number;
}

/** The report as lines of text, with the table. */
export function textOf(report: Report): string {
  const { machine, broker, rawClient, rounds, events, rows } = report;
  const lines = [
    '',
    `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, load before ${machine.loadBefore}`,
    [`Node ${machine.node}`, `V8 ${machine.v8}`, broker, rawClient].filter(Boolean).join(', '),
    `${events.toLocaleString('en-US')} events, ${rounds} rounds: median (least–greatest)`,
    '',
    ...tableOf(rows),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** The report as JSON, with the value of every round. */
export function jsonOf(report: Report): string {
  return `${JSON.stringify({ date: new Date().toISOString(), ...report }, undefined, 2)}\n`;
}

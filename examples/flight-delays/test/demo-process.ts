import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(__dirname, '../dist/main.js');

/** A run of the built demo. */
export interface DemoProcess {
  readonly child: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves with the first match in the output; rejects when the demo ends before. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts the demo as a person would, without a terminal. */
export function startDemo(...args: readonly string[]): DemoProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
      for (const listener of listeners) listener();
    });
  }
  const ended: DemoProcess['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const shows = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = output.match(pattern);
        if (match) resolve(match);
      };
      listeners.add(look);
      look();
      void ended.then(({ code }) =>
        reject(new Error(`The demo ended (${code}) without ${pattern}:\n${output}`)),
      );
    });
  return { child, ended, shows, output: () => output };
}

/** The numbers of the audit table: `audit.lost` is that of [delay-board, route-count]. */
export function parseAudit(output: string): Record<string, readonly number[]> {
  const rows = output
    .slice(output.indexOf('\nAudit\n'))
    .matchAll(/^([a-z][a-z -]*?) {2,}([\d,]+) +([\d,]+)$/gm);
  return Object.fromEntries(
    [...rows].map(([, label = '', ...cells]) => [
      label,
      cells.map((cell) => Number(cell.replaceAll(',', ''))),
    ]),
  );
}

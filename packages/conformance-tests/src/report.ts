import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { CATALOGUE } from './catalogue.js';
import type { BrokerInfo } from './subject.js';

/** `n/a`: cannot apply to this bus, with the reason. `not-run`: could have been shown and was not, with the reason. */
export type IdStatus = 'pass' | 'fail' | 'n/a' | 'not-run';

/** What became of one id. */
export interface IdResult {
  readonly status: IdStatus;
  /** Why not, for every status but `pass`. */
  readonly reason?: string;
  /** What was measured, for those that say. */
  readonly note?: string;
  /** Time of all its cases. */
  readonly ms: number;
}

/** What a run showed: every id of the catalogue is in it. */
export interface ConformanceReport {
  readonly bus: string;
  readonly broker: BrokerInfo;
  /** Version of Node.js. */
  readonly node: string;
  /** When the run ended, ISO 8601. */
  readonly date: string;
  /** Commit of the working directory, or `unknown`. */
  readonly commit: string;
  readonly ids: Readonly<Record<string, IdResult>>;
}

/** One case of an id, as it ended. */
export interface CaseOutcome {
  readonly status: IdStatus;
  readonly reason?: string;
  readonly note?: string;
  readonly ms: number;
}

const REASON_MAX_CHARS = 2_000;

/** Collects outcomes of cases and turns them into the report. */
export class ReportBuilder {
  readonly #outcomes = new Map<string, CaseOutcome[]>();

  add(id: string, outcome: CaseOutcome): void {
    const known = this.#outcomes.get(id);
    if (known) known.push(outcome);
    else this.#outcomes.set(id, [outcome]);
  }

  /** The result of one id so far. */
  resultOf(id: string): IdResult {
    const outcomes = this.#outcomes.get(id);
    if (!outcomes) return { status: 'not-run', reason: 'the kit has no test for it yet', ms: 0 };
    const ms = Math.round(outcomes.reduce((sum, one) => sum + one.ms, 0));
    // The worst case decides; a case that does not apply does not take away what the others have shown.
    for (const status of ['fail', 'not-run'] as const) {
      const found = outcomes.find((one) => one.status === status);
      if (found) return { status, reason: (found.reason ?? status).slice(0, REASON_MAX_CHARS), ms };
    }
    const notes = outcomes.flatMap(({ note }) => note ?? []);
    if (outcomes.some((one) => one.status === 'pass'))
      return { status: 'pass', ...(notes.length > 0 ? { note: notes.join('; ') } : {}), ms };
    return { status: 'n/a', reason: outcomes[0]?.reason ?? 'does not apply', ms };
  }

  build(bus: string, broker: BrokerInfo): ConformanceReport {
    return {
      bus,
      broker,
      node: process.version,
      date: new Date().toISOString(),
      commit: currentCommit(),
      ids: Object.fromEntries(CATALOGUE.map(({ id }) => [id, this.resultOf(id)])),
    };
  }
}

/** Writes a report as JSON, one line an id. */
export function writeReport(path: string, report: ConformanceReport): void {
  mkdirSync(dirname(path), { recursive: true });
  const { ids, ...head } = report;
  const lines = Object.entries(ids).map(
    ([id, result]) => `    ${JSON.stringify(id)}: ${JSON.stringify(result)}`,
  );
  const text = JSON.stringify({ ...head, ids: '@' }, undefined, 2).replace(
    '"@"',
    () => `{\n${lines.join(',\n')}\n  }`,
  );
  writeFileSync(path, `${text}\n`);
}

function currentCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

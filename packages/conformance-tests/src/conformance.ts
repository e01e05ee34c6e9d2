import { AREAS } from './catalogue.js';
import type { PlannedCase } from './plan.js';
import { titleOf } from './registry.js';
import { type ConformanceReport, writeReport } from './report.js';
import { CASE_TIMEOUT_MS, CLEAN_UP_TIMEOUT_MS, ConformanceRun, type RunOptions } from './run.js';
import type { ConformanceSubject } from './subject.js';
import { SUITES } from './suites/index.js';

/**
 * The functions of a test runner: Jest's and Vitest's as they are. Those of `node:test` take the time-out in an object:
 * `it: (name, body, timeout) => it(name, { timeout }, body)`, `beforeAll: (body, timeout) => before(body, { timeout })`.
 */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>, timeoutMs?: number): unknown;
  beforeAll(body: () => Promise<void>, timeoutMs?: number): unknown;
  afterAll(body: () => Promise<void>, timeoutMs?: number): unknown;
}

/** A subject together with how to run it. */
export interface ConformanceOptions extends ConformanceSubject, RunOptions {
  readonly runner: Runner;
  /** Where to write the report. @default the environment variable `OMNIBUS_CONFORMANCE_REPORT`, else nowhere */
  readonly report?: string;
  /** @default whether the environment variable `OMNIBUS_CONFORMANCE_LONG` is `1` */
  readonly long?: boolean;
  /** Called with the report after the last test. */
  onReport?(report: ConformanceReport): void;
}

/** How long `setup` and `teardown` may take: a broker may have to be fetched and started. */
const SET_UP_TIMEOUT_MS = 300_000;

/**
 * The suite: registers one test per case with the runner. Every id that cannot apply is in the report with its reason,
 * and a claimed id that was not run fails the last test.
 */
export function conformance(options: ConformanceOptions): void {
  const { runner } = options;
  const long = options.long ?? process.env.OMNIBUS_CONFORMANCE_LONG === '1';
  const run = new ConformanceRun(options, SUITES, { ...options, long });
  runner.describe(`conformance of ${options.name}`, () => {
    runner.beforeAll(() => run.start(), SET_UP_TIMEOUT_MS);
    runner.afterAll(async () => {
      const report = await run.finish();
      const path = options.report ?? process.env.OMNIBUS_CONFORMANCE_REPORT;
      if (path) writeReport(path, report);
      options.onReport?.(report);
    }, SET_UP_TIMEOUT_MS);
    for (const { area, cases } of run.plan.areas) {
      const tests = cases.filter(isRunnable);
      if (tests.length === 0) continue;
      runner.describe(`${area} ${AREAS.find((a) => a.name === area)?.title ?? ''}`, () => {
        for (const test of tests) register(runner, run, test);
      });
    }
    for (const test of run.plan.last.filter(isRunnable)) register(runner, run, test);
    runner.it('ME2 every claimed id was run or does not apply', () => {
      const missing = run.notRun();
      if (missing.length === 0) return Promise.resolve();
      return Promise.reject(
        new Error(`Not run:\n${missing.map(({ id, reason }) => `  ${id}: ${reason}`).join('\n')}`),
      );
    });
  });
}

function isRunnable(planned: PlannedCase): planned is PlannedCase & { kind: 'run' | 'inverted' } {
  return planned.kind === 'run' || planned.kind === 'inverted';
}

function register(
  runner: Runner,
  run: ConformanceRun,
  planned: PlannedCase & { kind: 'run' | 'inverted' },
): void {
  const title =
    planned.kind === 'run' ? titleOf(planned.of) : `${titleOf(planned.of)}: refused, since ${planned.reason}`;
  // The run has the deadline; the runner's only catches a clean-up that hangs.
  const timeoutMs = (planned.of.timeoutMs ?? CASE_TIMEOUT_MS) + 2 * CLEAN_UP_TIMEOUT_MS;
  runner.it(title, () => run.runCase(planned), timeoutMs);
}

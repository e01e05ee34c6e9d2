import assert from 'node:assert/strict';

import { nemesisSchedule, runNemesis } from '../nemesis/nemesis.js';
import { reportInWords, scheduleInWords } from '../nemesis/table.js';
import { seedOf } from '../nemesis-options.js';
import type { ConformanceCase } from '../registry.js';

/**
 * The same in every run, so that what fails was caused by a change; another one by the environment. Of this one a short
 * run has most kinds of faults, whatever the subject offers.
 */
const DEFAULT_SEED = '769';
const SEED = process.env.OMNIBUS_NEMESIS_SEED ?? DEFAULT_SEED;
const DURATION_MS = 75_000;

/** FA11: faults of every kind that the subject offers, one after the other, under load. */
export const nemesisCases: readonly ConformanceCase[] = [
  {
    id: 'FA11',
    title: `random nemesis of ${DURATION_MS / 1_000} s, seed ${SEED}: checker clean; the same seed reproduces the schedule`,
    requires: ['competing', 'orderedRetry'],
    timeoutMs: 900_000,
    async run(t) {
      const options = { seed: seedOf(SEED), durationMs: DURATION_MS };
      const schedule = nemesisSchedule(t, options);
      const report = await runNemesis(t, options);
      assert.deepEqual(nemesisSchedule(t, options), schedule, 'the same seed gave another schedule');
      const words = reportInWords(report, `OMNIBUS_NEMESIS_SEED=${options.seed}, id FA11`);
      if (!report.clean) throw new Error([...scheduleInWords(schedule), words].join('\n'));
    },
  },
];

import assert from 'node:assert/strict';

import { nemesisSchedule, runNemesis } from '../nemesis/nemesis.js';
import { reportInWords, scheduleInWords } from '../nemesis/table.js';
import { seedOf } from '../nemesis-options.js';
import type { ConformanceCase } from '../registry.js';

/**
 * The same in every run, so that what fails was caused by a change; another one by the environment. Of this one a short
 * run has most kinds of faults, whatever the subject offers.
 */
const SEED = 769;
const DURATION_MS = 75_000;

/** FA11: faults of every kind that the subject offers, one after the other, under load. */
export const nemesisCases: readonly ConformanceCase[] = [
  {
    id: 'FA11',
    requires: ['competing', 'orderedRetry'],
    timeoutMs: 900_000,
    async run(t) {
      const { OMNIBUS_NEMESIS_SEED: given } = process.env;
      const options = { seed: given === undefined ? SEED : seedOf(given), durationMs: DURATION_MS };
      const schedule = nemesisSchedule(t, options);
      const report = await runNemesis(t, options);
      assert.deepEqual(nemesisSchedule(t, options), schedule, 'the same seed gave another schedule');
      const words = reportInWords(report, `OMNIBUS_NEMESIS_SEED=${options.seed}, id FA11`);
      if (!report.clean) throw new Error([...scheduleInWords(schedule), words].join('\n'));
    },
  },
];

import { fileURLToPath } from 'node:url';
import { preset } from '../../../../jest.preset.js';

/**
 * How Stryker mutates core: `npm run test:long -- mutation`.
 *
 * @param {string} file by its name, without .ts
 * @param {readonly string[]} tests the files of tests that are asked
 */
export function mutationOptions(file, tests) {
  return {
    mutate: [`src/${file}.ts`],
    testRunner: 'jest',
    plugins: ['@stryker-mutator/jest-runner', path('ignore-messages.mjs'), path('survivors-reporter.mjs')],
    ignorers: ['messages'],
    coverageAnalysis: 'perTest',
    jest: {
      projectType: 'custom',
      enableFindRelatedTests: false,
      config: {
        ...preset,
        testEnvironment: path('fail-fast-environment.cjs'),
        testMatch: ['<rootDir>/test/mutation/every-test.ts'],
        globals: { mutation: { tests } },
        // A mutant that hangs is found sooner by this than by Stryker, which then needs a new process.
        testTimeout: 5_000,
      },
    },
    // In Stryker's copy of the package it would not find the preset; what it says is above.
    ignorePatterns: ['jest.config.js', 'dist'],
    // Processes that mutants have left work in end now and then.
    maxTestRunnerReuse: 25,
    concurrency: 1,
    // On a busy machine a slow run is no loop without end.
    timeoutFactor: 2,
    tempDirName: 'test-results/stryker',
    allowConsoleColors: false,
    reporters: ['progress-append-only', 'survivors'],
  };
}

function path(file) {
  return fileURLToPath(new URL(file, import.meta.url));
}

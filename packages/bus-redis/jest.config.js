import { preset } from '../../jest.preset.js';

export default {
  ...preset,
  // One file after the other: brokers under load at the same time would measure each other.
  maxWorkers: 1,
  // One server for all files that do it no harm.
  globalSetup: '<rootDir>/test/support/start-shared-redis.cjs',
  globalTeardown: '<rootDir>/test/support/stop-shared-redis.cjs',
};

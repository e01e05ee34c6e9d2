import { preset } from '../../jest.preset.js';

export default {
  ...preset,
  // One server for all files that do it no harm.
  globalSetup: '<rootDir>/test/support/start-shared-redis.cjs',
  globalTeardown: '<rootDir>/test/support/stop-shared-redis.cjs',
};

import { preset } from '../../jest.preset.js';

export default {
  ...preset,
  // One broker for all files: starting one takes longer than most of the tests.
  globalSetup: '<rootDir>/test/support/start-shared-rabbitmq.cjs',
  globalTeardown: '<rootDir>/test/support/stop-shared-rabbitmq.cjs',
};

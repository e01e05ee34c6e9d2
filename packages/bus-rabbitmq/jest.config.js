import { preset } from '../../jest.preset.js';

export default {
  ...preset,
  // One file after the other: brokers under load at the same time would measure each other.
  maxWorkers: 1,
  // One broker for all files: starting one takes longer than most of the tests.
  globalSetup: '<rootDir>/test/support/start-shared-rabbitmq.cjs',
  globalTeardown: '<rootDir>/test/support/stop-shared-rabbitmq.cjs',
};

const { TestEnvironment } = require('jest-environment-node');

// What a mutant has left running may fail after its last test: not a reason to end Stryker's process.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

/** A mutant is found by the first test that fails: those after it are skipped. */
module.exports = class FailFastEnvironment extends TestEnvironment {
  #hasFailed = false;

  constructor(config, context) {
    super(config, context);
    this.global.mutation = { ...this.global.mutation, pattern: config.globalConfig.testNamePattern };
  }

  async handleTestEvent(event) {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') this.#hasFailed = true;
    if (event.name === 'test_start' && this.#hasFailed) event.test.mode = 'skip';
  }
};

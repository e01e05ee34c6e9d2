/** Prints one line per finished test file, names the failures, and says what is still running. */
const path = require('node:path');

const STILL_RUNNING_AFTER_MS = 15_000;

class ProgressReporter {
  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    this.started = new Map();
    this.finished = 0;
  }

  onRunStart(results) {
    this.total = results.numTotalTestSuites;
    this.timer = setInterval(() => this.nameWhatRuns(), STILL_RUNNING_AFTER_MS);
    this.timer.unref();
  }

  onTestFileStart(test) {
    this.started.set(test.path, Date.now());
  }

  onTestFileResult(test, result) {
    const seconds = this.secondsSince(this.started.get(test.path) ?? Date.now());
    this.started.delete(test.path);
    this.finished += 1;
    const failed = result.numFailingTests + (result.testExecError ? 1 : 0);
    const verdict = failed > 0 ? `FAIL ${failed} failed, ` : 'ok   ';
    this.say(
      `${verdict}${result.numPassingTests} passed  ${this.name(test.path)}  ${seconds} s  (${this.finished}/${this.total})`,
    );
    if (result.failureMessage) this.say(result.failureMessage);
  }

  onRunComplete(_contexts, results) {
    clearInterval(this.timer);
    if (results.openHandles?.length > 0) this.say(results.openHandles.join('\n'));
  }

  getLastError() {}

  nameWhatRuns() {
    for (const [file, since] of this.started) {
      this.say(`...  still running  ${this.name(file)}  ${this.secondsSince(since)} s`);
    }
  }

  secondsSince(time) {
    return ((Date.now() - time) / 1000).toFixed(1);
  }

  name(file) {
    return path.relative(this.rootDir, file);
  }

  say(text) {
    process.stdout.write(`${text}\n`);
  }
}

module.exports = ProgressReporter;

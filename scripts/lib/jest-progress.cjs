/**
 * What every jest run reports with: one line per finished test file, the failures, a line for what takes
 * long, and the counts and failures in `test-results/jest.json`, which `npm test` adds up. A run that does not end
 * after its last test is ended, and told why.
 */
const fs = require('node:fs');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');
const watchTheEnd = require('./jest-end-watch.cjs');

const STILL_RUNNING_EVERY_MS = 15_000;
const LONG_MS = 10_000;
/** Of each failure in the summary; the whole text stands above, with the test file. */
const MAX_FAILURE_CHARACTERS = 1_500;

class ProgressReporter {
  constructor(globalConfig) {
    this.rootDir = globalConfig.rootDir;
    this.resultFile = path.join(this.rootDir, 'test-results', 'jest.json');
    this.startedAt = new Map();
    this.finished = 0;
  }

  onRunStart(results) {
    this.total = results.numTotalTestSuites;
    fs.rmSync(this.resultFile, { force: true });
    this.timer = setInterval(() => this.nameWhatRuns(), STILL_RUNNING_EVERY_MS);
    this.timer.unref();
  }

  onTestFileStart(test) {
    this.startedAt.set(test.path, Date.now());
  }

  onTestFileResult(test, result) {
    const seconds = this.secondsSince(this.startedAt.get(test.path) ?? Date.now());
    this.startedAt.delete(test.path);
    this.finished += 1;
    const failed = result.numFailingTests + (result.testExecError ? 1 : 0);
    const verdict = failed > 0 ? `FAIL  ${failed} failed, ` : 'ok    ';
    const skipped = result.numPendingTests > 0 ? `, ${result.numPendingTests} skipped` : '';
    this.say(
      `${verdict}${result.numPassingTests} passed${skipped}  ${this.name(test.path)}  ${seconds} s  (${this.finished}/${this.total})`,
    );
    if (result.failureMessage) this.say(result.failureMessage);
  }

  onRunComplete(_contexts, results) {
    clearInterval(this.timer);
    // A file that could not even be loaded has no test cases; it counts as one failure.
    const broken = results.testResults.filter((file) => file.testExecError).length;
    fs.mkdirSync(path.dirname(this.resultFile), { recursive: true });
    const summary = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + broken,
      skipped: results.numPendingTests + results.numTodoTests,
      failures: results.testResults.flatMap((file) => this.failuresIn(file)),
    };
    fs.writeFileSync(this.resultFile, `${JSON.stringify(summary)}\n`);
    watchTheEnd(this.resultFile);
  }

  failuresIn(file) {
    const name = this.name(file.testFilePath);
    const failure = (title, message) => ({
      test: `${name} › ${title}`,
      message: stripVTControlCharacters(message).slice(0, MAX_FAILURE_CHARACTERS),
    });
    if (file.testExecError) return [failure('(could not be loaded)', file.failureMessage ?? '')];
    return file.testResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => failure(fullName, failureMessages.join('\n')));
  }

  /** jest asks every reporter for this. */
  getLastError() {}

  nameWhatRuns() {
    for (const [file, since] of this.startedAt) {
      if (Date.now() - since < LONG_MS) continue;
      this.say(`...   still running  ${this.name(file)}  ${this.secondsSince(since)} s`);
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

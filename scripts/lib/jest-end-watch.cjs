/**
 * Beside a jest run whose results are told: when the process has not ended a while later, something in it waits or
 * spins, and the next package would wait for ever. Tells what it is from Node's own diagnostic report, which is written
 * even while the main thread spins, counts it as a failure, and ends the process.
 */
const fs = require('node:fs');
const path = require('node:path');
const { isMainThread, Worker, workerData } = require('node:worker_threads');

const PATIENCE_MS = 60_000;
const REPORT_MS = 10_000;
const SIGNAL = 'SIGUSR2';

/** @param {string} resultFile where the counts and failures of the run are */
function watchTheEnd(resultFile) {
  const directory = path.dirname(resultFile);
  const reportFile = path.join(directory, 'not-ended.json');
  fs.rmSync(reportFile, { force: true });
  // Its handles and its JavaScript stack are wanted; looking up the names of peers would take seconds each.
  Object.assign(process.report, {
    directory,
    filename: path.basename(reportFile),
    signal: SIGNAL,
    reportOnSignal: true,
    excludeNetwork: true,
  });
  new Worker(__filename, { workerData: { resultFile, reportFile } }).unref();
}

function endIt() {
  const { resultFile, reportFile } = workerData;
  const what = `the process has not ended ${PATIENCE_MS / 1000} s after its last test`;
  const message = `${what}\n${whatHoldsIt(reportFile)}`;
  fs.writeSync(1, `FAIL  ${message}\n`);
  const summary = JSON.parse(fs.readFileSync(resultFile, 'utf8'));
  summary.failed += 1;
  summary.failures.push({ test: '(the run)', message });
  fs.writeFileSync(resultFile, `${JSON.stringify(summary)}\n`);
  process.kill(process.pid, 'SIGKILL');
}

function whatHoldsIt(reportFile) {
  if (!fs.existsSync(reportFile)) return 'Its main thread is busy and answers no signal: something spins.';
  const { javascriptStack, libuv } = JSON.parse(fs.readFileSync(reportFile, 'utf8'));
  const handles = libuv
    .filter((handle) => handle.is_active && handle.is_referenced)
    .map(({ type, ...rest }) => `  ${type} ${JSON.stringify(rest)}`);
  const stack = [javascriptStack?.message, ...(javascriptStack?.stack ?? [])].map((line) => `  ${line}`);
  return ['JavaScript:', ...stack, 'Handles:', ...handles].join('\n');
}

if (isMainThread) {
  module.exports = watchTheEnd;
} else {
  setTimeout(() => {
    process.kill(process.pid, SIGNAL);
    setTimeout(endIt, REPORT_MS);
  }, PATIENCE_MS);
}

/**
 * Beside a jest run whose results are told: when the process has not ended a while later, something in it waits or
 * spins, and the next package would wait for ever. Tells what it is from Node's own diagnostic report, counts it as a
 * failure, and ends the process. A process of its own: threads of the other are stopped before what can spin at exit.
 */
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const PATIENCE_MS = 60_000;
const REPORT_MS = 10_000;
const LOOK_EVERY_MS = 200;
const SIGNAL = 'SIGUSR2';

/** @param {string} resultFile where the counts and failures of the run are */
function watchTheEnd(resultFile) {
  const reportFile = reportFileOf(resultFile);
  fs.rmSync(reportFile, { force: true });
  Object.assign(process.report, {
    directory: path.dirname(reportFile),
    filename: path.basename(reportFile),
    signal: SIGNAL,
    reportOnSignal: true,
    // Looking up the names of peers would take seconds each.
    excludeNetwork: true,
  });
  const args = [__filename, String(process.pid), resultFile];
  spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).unref();
}

function main(pid, resultFile) {
  let ends = Number.POSITIVE_INFINITY;
  // Not by a pipe between the two: at exit it is closed before what can spin there.
  setInterval(() => {
    const isGone = process.ppid !== pid;
    if (isGone && ends === Number.POSITIVE_INFINITY) process.exit();
    if (!isGone && performance.now() < ends) return;
    tell(resultFile);
    if (!isGone) process.kill(pid, 'SIGKILL');
    process.exit();
  }, LOOK_EVERY_MS);
  setTimeout(() => {
    ends = performance.now() + REPORT_MS;
    process.kill(pid, SIGNAL);
  }, PATIENCE_MS);
}

function tell(resultFile) {
  const what = `the process has not ended ${PATIENCE_MS / 1000} s after its last test`;
  const message = `${what}\n${whatHoldsIt(reportFileOf(resultFile))}`;
  fs.writeSync(1, `FAIL  ${message}\n`);
  const summary = JSON.parse(fs.readFileSync(resultFile, 'utf8'));
  summary.failed += 1;
  summary.failures.push({ test: '(the run)', message });
  fs.writeFileSync(resultFile, `${JSON.stringify(summary)}\n`);
}

function whatHoldsIt(reportFile) {
  if (!fs.existsSync(reportFile))
    return 'It makes no report: it spins, in its own code, or in Node at exit, where a handle never closes.';
  const { javascriptStack, libuv } = JSON.parse(fs.readFileSync(reportFile, 'utf8'));
  const handles = libuv
    .filter((handle) => handle.is_active && handle.is_referenced)
    .map(({ type, ...rest }) => `  ${type} ${JSON.stringify(rest)}`);
  const stack = [javascriptStack?.message, ...(javascriptStack?.stack ?? [])].map((line) => `  ${line}`);
  return ['JavaScript:', ...stack, 'Handles:', ...handles].join('\n');
}

function reportFileOf(resultFile) {
  return path.join(path.dirname(resultFile), 'not-ended.json');
}

if (require.main === module) main(Number(process.argv[2]), process.argv[3]);
else module.exports = watchTheEnd;

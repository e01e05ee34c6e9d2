import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';

import { CommanderError } from 'commander';

import { type BenchOptions, parseArguments } from './arguments.js';
import { Progress } from './console/progress.js';
import { thisMachine } from './report/machine.js';
import { jsonOf, textOf } from './report/report.js';
import { run } from './run.js';

const EXIT_FAILED = 1;
const EXIT_MISUSE = 2;

const progress = new Progress();
const interruption = new AbortController();
let exitCodeOfSignal = 0;

function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  const code = 128 + constants.signals[signal];
  // Whoever asks twice does not want to wait.
  if (exitCodeOfSignal !== 0) process.exit(code);
  exitCodeOfSignal = code;
  progress.step('');
  progress.say('Stopping (once more to stop at once)');
  interruption.abort(new Error(signal));
}

function argumentsOrExit(): BenchOptions {
  try {
    return parseArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exit(error.exitCode === 0 ? 0 : EXIT_MISUSE);
  }
}

async function bench({ json, ...options }: BenchOptions): Promise<void> {
  const machine = thisMachine();
  const result = await run({
    ...options,
    signal: interruption.signal,
    progress: progress.step,
    say: progress.say,
  });
  progress.step('');
  const report = { ...result, machine, rounds: options.rounds, events: options.events };
  process.stdout.write(textOf(report));
  if (json !== undefined) await writeFile(json, jsonOf(report));
}

const options = argumentsOrExit();
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

try {
  await bench(options);
} catch (error) {
  progress.step('');
  if (exitCodeOfSignal === 0) progress.say(error instanceof Error ? String(error.stack) : String(error));
  process.exitCode = EXIT_FAILED;
}
// What a measurement that was given up has left open must not keep the process.
if (exitCodeOfSignal !== 0) process.exit(exitCodeOfSignal);
if (process.exitCode !== undefined) process.exit();

import { constants } from 'node:os';

import { parseArguments } from './arguments.js';
import { Terminal } from './console/terminal.js';
import { runDemo } from './demo.js';

const EXIT_FAILED = 1;

const options = parseArguments(process.argv.slice(2));
const terminal = new Terminal();
const interruption = new AbortController();
let exitCodeOfSignal = 0;

function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  const code = 128 + constants.signals[signal];
  // Whoever asks twice does not want to wait.
  if (exitCodeOfSignal !== 0) process.exit(code);
  exitCodeOfSignal = code;
  terminal.live('');
  terminal.say('Stopping (once more to stop at once)');
  interruption.abort(new Error(signal));
}

process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

try {
  process.exitCode = await runDemo(options, terminal, interruption.signal);
} catch (error) {
  terminal.live('');
  // What a broker's start has begun may still be under way; nothing of it outlives this process.
  if (exitCodeOfSignal !== 0) process.exit(exitCodeOfSignal);
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = EXIT_FAILED;
}

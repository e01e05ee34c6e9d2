import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './workspace.mjs';

const onWindows = process.platform === 'win32';

const environment = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter),
  TURBO_TELEMETRY_DISABLED: '1',
  TURBO_NO_UPDATE_NOTIFIER: '1',
  // Part of turbo's hashes: what one version of Node built and passed says nothing about another.
  OMNIBUS_NODE_VERSION: process.version,
};

/**
 * Runs a command with this process's terminal, in the repository's top folder unless told otherwise. Signals reach it once, and
 * this process waits until it has ended by itself.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [cwd]
 * @returns {Promise<number>} its exit code, 128 + n when signal n ended it
 */
export function run(command, args, cwd = ROOT) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: environment,
      stdio: 'inherit',
      shell: onWindows && command !== process.execPath,
    });
    // A terminal's Ctrl-C reaches the whole process group: the child has it already.
    const interrupt = () => void (process.stdin.isTTY || child.kill('SIGINT'));
    const terminate = () => void child.kill('SIGTERM');
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', terminate);
    const release = () => {
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', terminate);
    };
    child.on('error', (error) => {
      release();
      reject(error);
    });
    child.on('exit', (code, signal) => {
      release();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/**
 * Runs turbo tasks; what has not changed since the last run comes from its cache.
 *
 * @param {readonly string[]} args tasks and flags of `turbo run`
 */
export function turbo(args) {
  return run('turbo', ['run', ...args]);
}

/** @param {string} text a line that says what happens now */
export function say(text) {
  process.stdout.write(`${text}\n`);
}

import { spawn } from 'node:child_process';
import { LogRing } from './log-ring.js';
import type { Reaper } from './reaper.js';

/** What became of a command. */
export interface CommandResult {
  /** Undefined when the program was not found or could not be started. */
  readonly code: number | undefined;
  /** Standard output and standard error, the newest part of them. */
  readonly output: string;
}

/** What may be set for a command. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The name it is called by. @default the command */
  readonly argv0?: string;
  /** Ends it when this process dies meanwhile. */
  readonly reaper?: Reaper;
  /** Called with every piece of output. */
  readonly onOutput?: (chunk: string) => void;
}

/** Runs a program to its end. Never rejects: a program that is missing has no code. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { onOutput, reaper, ...spawnOptions } = options;
  const log = new LogRing();
  const child = spawn(command, args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log.append(chunk);
      onOutput?.(chunk);
    });
  }
  const { pid } = child;
  if (pid !== undefined) {
    reaper?.watch(pid);
    child.once('exit', () => reaper?.forget(pid));
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: undefined, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? -1, output: log.text() }));
  });
}

import { spawnSync } from 'node:child_process';

const OPTIONS = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, timeout: 120_000 } as const;

/** What a command printed and how it ended. */
export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** Runs a command to its end and returns what it said. Throws only when it cannot be started. */
export function run(command: string, args: readonly string[], cwd: string): CommandResult {
  const result = spawnSync(command, args, { ...OPTIONS, cwd });
  if (result.error) throw result.error;
  return { code: result.status ?? 1, output: `${result.stdout}${result.stderr}` };
}

/** Runs a command that has to succeed, and returns what it printed on standard output. */
export function mustRun(command: string, args: readonly string[], cwd: string): string {
  const result = spawnSync(command, args, { ...OPTIONS, cwd });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`,
    );
  }
  return result.stdout;
}

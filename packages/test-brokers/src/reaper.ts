import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder and some processes that do not outlive their owner, however it ends: a `sh` reads a pipe that
 * only the owner holds. When the pipe closes (`close()`, a normal exit, a crash, SIGKILL), it kills the
 * processes still on its list and removes the folder. Stopping and crashing take the same path, so the
 * path that matters is exercised by every test.
 */
export interface Reaper {
  /** Removed with all that is in it. */
  readonly folder: string;
  /** Puts a process on the list. */
  watch(pid: number): void;
  /** Takes a process off the list: it has ended, and its number may belong to another soon. */
  forget(pid: number): void;
  /** Kills what is on the list and removes the folder; resolves when both are gone. */
  close(): Promise<void>;
}

// Killed processes may write until they are gone, so they are waited for before the folder is removed. The
// wait has an end: where nothing reaps orphans, a dead one answers `kill -0` for ever.
const SCRIPT = `
pids=
while read -r verb pid; do
  case $verb in
    watch) pids="$pids $pid" ;;
    forget) left=; for p in $pids; do [ "$p" = "$pid" ] || left="$left $p"; done; pids=$left ;;
  esac
done
for p in $pids; do kill -9 "$p" 2>/dev/null; done
tries=0
for p in $pids; do
  while kill -0 "$p" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
done
rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }
`;

/** Opens a reaper with a new folder under the system's temporary one, named for this process. */
export async function openReaper(name: string): Promise<Reaper> {
  const folder = await mkdtemp(join(tmpdir(), `omnibus-${name}-${process.pid}-`));
  // A session of its own: a Ctrl-C at the terminal must not end it before it has done its work.
  const shell = spawn('sh', ['-c', SCRIPT, 'omnibus-reaper', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve, reject) => {
    shell.once('exit', () => resolve());
    shell.once('error', reject);
  });
  ended.catch(() => {});
  const pipe = unreferenced(shell);
  return {
    folder,
    watch: (pid) => void pipe.write(`watch ${pid}\n`),
    forget: (pid) => void (pipe.writable && pipe.write(`forget ${pid}\n`)),
    close: () => {
      shell.ref();
      pipe.end();
      return ended;
    },
  };
}

function unreferenced(shell: ChildProcess): NonNullable<ChildProcess['stdin']> {
  const pipe = shell.stdin;
  if (pipe === null) throw new Error('the reaper has no pipe');
  // Should the shell be killed by somebody, writing to it must not end the tests.
  pipe.on('error', () => {});
  shell.unref();
  return pipe;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, TestBrokerError } from './errors.js';

/** What `awaitReady` waits for, and what it gives up on. */
export interface ReadinessOptions {
  /** Resolves when the broker serves; rejects while it does not. Each call must end by itself. */
  readonly probe: () => Promise<void>;
  /** Resolves with the reason when the broker's process has ended. */
  readonly exited: Promise<string>;
  /** How long to wait in all. */
  readonly timeoutMs: number;
  /** Named in errors, such as `Kafka 4.3.1, node 1`. */
  readonly what: string;
  /** The newest log lines, for errors. */
  readonly lastLogLines: () => string;
}

const BETWEEN_PROBES_MS = 25;

/**
 * Resolves when the broker serves. Fails at once when its process ends first, and at the deadline; both
 * with `START_FAILED` and the broker's last log lines.
 */
export async function awaitReady(options: ReadinessOptions): Promise<void> {
  const { probe, exited, timeoutMs, what } = options;
  const deadline = Date.now() + timeoutMs;
  let ended: string | undefined;
  const gone = exited.then((reason) => {
    ended = reason;
  });
  let last: unknown;
  for (;;) {
    const served = await Promise.race([
      probe().then(
        () => true,
        (error: unknown) => {
          last = error;
          return false;
        },
      ),
      gone.then(() => false),
    ]);
    if (ended !== undefined) throw failed(options, `${what} ended (${ended}) before it was ready.`);
    if (served) return;
    if (Date.now() >= deadline) {
      throw failed(options, `${what} was not ready after ${timeoutMs} ms (${messageOf(last)}).`, last);
    }
    await Promise.race([sleep(BETWEEN_PROBES_MS), gone]);
  }
}

function failed({ lastLogLines }: ReadinessOptions, message: string, cause?: unknown): TestBrokerError {
  return new TestBrokerError('START_FAILED', `${message} Its last log lines:\n${lastLogLines()}`, { cause });
}

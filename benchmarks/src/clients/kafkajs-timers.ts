import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}

let repaired = false;

/**
 * Every request of kafkajs 2.2.4 arms a timer that arms the next one, for ever: about a thousand a second for each
 * connection. The bus mends that in its own connections; without it here, the raw client would be measured with a
 * handicap that has nothing to do with its work.
 */
export function repairTimers(): void {
  if (repaired) return;
  repaired = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    readonly prototype: RequestQueue;
  };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

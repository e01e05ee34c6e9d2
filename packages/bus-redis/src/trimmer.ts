import type { BusError } from '@omnibus/core/transport';
import type { Commands } from './client.js';
import { toBusError } from './errors.js';
import type { RedisRetentionSettings } from './options.js';
import { trim } from './scripts.js';
import type { Topology } from './topology.js';

const INTERVAL_MS = 1_000;
/** What one script forgets of each partition at most, so that it does not hold up the server. */
const MAX_STEP = 1_000;
const MAX_STEPS = 50;

/** Forgets what the retention allows. Every process does; there is nothing to agree on. */
export class Trimmer {
  private readonly timer: NodeJS.Timeout;
  private running = false;
  private closed = false;

  constructor(
    private readonly commands: Commands,
    private readonly topology: Topology,
    private readonly retention: RedisRetentionSettings,
    private readonly failed: (error: BusError) => void,
  ) {
    this.timer = setInterval(() => void this.trim(), INTERVAL_MS);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
  }

  private async trim(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      await Promise.all(
        this.topology.together(this.topology.all).map((partitions) => this.trimTogether(partitions)),
      );
    } catch (error) {
      if (!this.closed) this.failed(toBusError(error, `trim ${this.topology.keys.stream}`));
    } finally {
      this.running = false;
    }
  }

  private async trimTogether(partitions: readonly number[]): Promise<void> {
    const { maxLength, maxAgeMs, trimUnread } = this.retention;
    const streams = partitions.map((partition) => this.topology.keys.streamOf(partition));
    for (let step = 0; step < MAX_STEPS && !this.closed; step += 1) {
      const gone = await trim.run(this.commands, streams, [
        maxLength ?? '',
        maxAgeMs ?? '',
        trimUnread ? 1 : 0,
      ]);
      if (Number(gone) < MAX_STEP) return;
    }
  }
}

import { watch } from 'node:fs';
import type { Server } from 'node:net';
import {
  busErrorOf,
  type DeliverySink,
  type StartableConsumption,
  type TransportEvents,
} from '@omnibus/core/transport';
import { tryLock } from './lock.js';
import { oneAtATime } from './one-at-a-time.js';
import { OwnedPartition } from './owned-partition.js';
import { readProgress } from './progress.js';
import type { RecordLog } from './record-log.js';

/** Nothing in a folder changes when a process dies. */
const LOOK_AGAIN_MS = 250;

/** One consumer of a group: takes the partitions that nobody has, and keeps them until it stops. */
export class GroupMember implements StartableConsumption {
  private readonly owned = new Map<number, OwnedPartition>();
  private readonly locks: Server[] = [];
  private readonly ending = new AbortController();
  private readonly takeFree = oneAtATime(() => this.takeFreeNow());
  private timer: NodeJS.Timeout | undefined;

  private readonly failed = (error: unknown): void => this.events.error(busErrorOf(error, 'consume'));

  constructor(
    private readonly folder: string,
    private readonly logs: readonly RecordLog[],
    private readonly letters: RecordLog,
    private readonly paths: readonly string[],
    private readonly sink: DeliverySink,
    private readonly events: TransportEvents,
  ) {}

  async start(): Promise<void> {
    const readAll = (): void => {
      for (const owned of this.owned.values()) owned.read();
    };
    watch(this.folder, { signal: this.ending.signal }, readAll);
    this.timer = setInterval(() => void this.takeFree().catch(this.failed), LOOK_AGAIN_MS);
    await this.takeFree();
  }

  async stop(timeoutMs: number): Promise<void> {
    this.ending.abort();
    clearInterval(this.timer);
    await this.takeFree();
    await Promise.all([...this.owned.values()].map((owned) => owned.handOver(timeoutMs)));
    for (const lock of this.locks.splice(0)) lock.close();
    this.owned.clear();
  }

  private async takeFreeNow(): Promise<void> {
    for (const [partition, path] of this.paths.entries()) {
      const lock = this.owned.has(partition) || this.ending.signal.aborted ? undefined : await tryLock(path);
      if (!lock) continue;
      this.locks.push(lock);
      const all = await Promise.all(this.paths.map(readProgress));
      const from = all[partition] ?? { next: 0, journal: '' };
      const owned = new OwnedPartition(
        from,
        path,
        this.logs[partition] as RecordLog,
        this.letters,
        this.failed,
      );
      this.owned.set(partition, owned);
      const journals = new Map(all.map((progress, each) => [each, progress?.journal ?? ''] as const));
      await owned.open(this.sink.assign(partition, owned), journals);
    }
  }
}

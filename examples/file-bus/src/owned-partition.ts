import type {
  AssignedPartition,
  InboundRecord,
  OutboundRecord,
  PartitionPort,
  SettledBatch,
} from '@omnibus/core/transport';
import { oneAtATime } from './one-at-a-time.js';
import { type Progress, writeProgress } from './progress.js';
import type { LoggedRecord, RecordLog } from './record-log.js';

/** A partition in the hands of this process. One object per ownership. */
export class OwnedPartition implements PartitionPort {
  isOwned = true;
  private engine: AssignedPartition | undefined;
  private readFrom: number;
  private paused = false;
  readonly flush: () => Promise<void> = oneAtATime(() => writeProgress(this.path, this.progress));
  private readonly readOn = oneAtATime(async () => {
    for (let before = -1; before < this.readFrom && this.isOwned && !this.paused; ) {
      before = this.readFrom;
      const { records, next } = await this.log.read(before);
      this.readFrom = next;
      if (this.isOwned) this.engine?.deliver(records);
    }
  });

  constructor(
    private progress: Progress,
    private readonly path: string,
    private readonly log: RecordLog,
    private readonly letters: RecordLog,
    private readonly failed: (error: unknown) => void,
  ) {
    this.readFrom = progress.next;
  }

  async open(engine: AssignedPartition, journals: ReadonlyMap<number, string>): Promise<void> {
    this.engine = engine;
    await engine.open(journals);
    this.read();
  }

  /** Reads on. Called whenever there may be more. */
  read(): void {
    this.readOn().catch(this.failed);
  }

  async handOver(timeoutMs: number): Promise<void> {
    await this.engine?.handOver(timeoutMs);
    this.isOwned = false;
    this.engine?.lost();
  }

  settled({ watermark, journal }: SettledBatch): void {
    this.progress = { next: (watermark as LoggedRecord | undefined)?.next ?? this.progress.next, journal };
    this.flush().catch(this.failed);
  }

  saveJournal(journal: string): Promise<void> {
    this.progress = { ...this.progress, journal };
    return this.flush();
  }

  deadLetter(_source: InboundRecord, letter: OutboundRecord): Promise<void> {
    return this.letters.append([letter]);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.read();
  }
}

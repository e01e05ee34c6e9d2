import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as spi from '@omnibus/core/transport';
import { deadLettersIn } from './dead-letters.js';
import { GroupMember } from './group-member.js';
import { readProgress, writeProgress } from './progress.js';
import { MAX_RECORD_BYTES, RecordLog } from './record-log.js';

/** Files in a folder, for core: a log for each partition, and for each group how far it is. */
export class FileTransport implements spi.Transport {
  readonly name = 'file';
  readonly partitions = 8;
  readonly capabilities: spi.Capabilities = { durable: true, history: 'none', competing: false };
  readonly limits: spi.TransportLimits = {
    maxRecordBytes: MAX_RECORD_BYTES,
    maxRecordsPerPartition: 1_000,
    maxBytesPerPartition: 1_000_000,
  };
  readonly deadLetters: spi.DeadLetterStore;
  private readonly letters: RecordLog;
  private readonly gone: string;
  private readonly logs: readonly RecordLog[];
  private readonly members = new spi.RunningConsumers<GroupMember>();
  private events: spi.TransportEvents | undefined;

  constructor(readonly destination: string) {
    const numbers = Array.from({ length: this.partitions }, (_, partition) => partition);
    this.logs = numbers.map((partition) => new RecordLog(join(destination, `p${partition}.log`)));
    this.gone = join(destination, 'gone');
    this.letters = new RecordLog(join(destination, 'dead-letters.log'));
    this.deadLetters = deadLettersIn(this.letters, this.gone, (record) =>
      this.logOf(record.partition).append([record]),
    );
  }

  async open(events: spi.TransportEvents): Promise<void> {
    await this.ping();
    this.events = events;
  }

  async send(records: readonly spi.OutboundRecord[]): Promise<spi.SendResult> {
    const sent = this.logs.map(async (log, partition) => {
      const mine = [...records.entries()].filter(([, record]) => record.partition === partition);
      const failed = (cause: unknown): spi.SendResult['failures'] =>
        mine.map(([index]) => ({ index, error: spi.busErrorOf(cause, `append to partition ${partition}`) }));
      return mine.length === 0 ? [] : log.append(mine.map(([, record]) => record)).then(() => [], failed);
    });
    return { failures: (await Promise.all(sent)).flat() };
  }

  async ensureGroup({ name, startFrom, ephemeral }: spi.GroupSpec): Promise<void> {
    await mkdir(this.folderOf(name), { recursive: true });
    for (const [partition, path] of this.pathsOf(name).entries()) {
      const next = startFrom === 'latest' || ephemeral ? await this.logOf(partition).end() : 0;
      if (!(await readProgress(path))) await writeProgress(path, { next, journal: '' });
    }
  }

  async consume({ group }: spi.ConsumeSpec, sink: spi.DeliverySink): Promise<spi.Consumption> {
    if (!this.events) throw spi.busClosed('The file transport');
    await this.ensureGroup(group);
    const { destination, logs, letters, events } = this;
    const member = new GroupMember(destination, logs, letters, this.pathsOf(group.name), sink, events);
    const running = await this.members.start(member);
    return {
      stop: async (timeoutMs) => {
        await running.stop(timeoutMs);
        if (group.ephemeral) await rm(this.folderOf(group.name), { recursive: true, force: true });
      },
    };
  }

  lag(group: string): Promise<spi.PartitionLag[]> {
    const counts = this.pathsOf(group).map(async (path, partition) => {
      let lag = 0;
      const from = (await readProgress(path))?.next ?? 0;
      for await (const records of this.logOf(partition).pages(from)) lag += records.length;
      return { partition, lag };
    });
    return Promise.all(counts);
  }

  async ping(): Promise<void> {
    try {
      await mkdir(this.gone, { recursive: true });
    } catch (cause) {
      throw spi.busErrorOf(cause, `use the folder ${this.destination}`, 'CONNECT');
    }
  }

  close(): Promise<void> {
    return this.members.stopAll();
  }

  private logOf(partition: number): RecordLog {
    return this.logs[partition] as RecordLog;
  }

  private folderOf(group: string): string {
    return join(this.destination, 'groups', encodeURIComponent(group));
  }

  private pathsOf(group: string): string[] {
    return this.logs.map((_, partition) => join(this.folderOf(group), `p${partition}.json`));
  }
}

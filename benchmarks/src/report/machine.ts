import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

/** Where the numbers come from. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
  /** Processes that wanted to run in the minute before the start: more than the cores means that others took part. */
  readonly loadBefore: number;
}

/** This machine, now. */
export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { Address } from './brokers/broker.js';
import type { Side } from './measure.js';

/** What a process of its own is to drain. */
export interface MemoryTask {
  readonly bus: string;
  readonly address: Address;
  readonly stream: string;
  readonly side: Side;
  readonly group: string;
  readonly events: number;
}

/** What that took. */
export interface MemoryUse {
  /** Most memory of the process, as the operating system counts it. */
  readonly peakRssMiB: number;
  /** Most of V8's heap, with garbage that was not collected yet. */
  readonly peakHeapMiB: number;
  /** What is left of the heap after a full collection, while the consumer goes on. */
  readonly heapAfterMiB: number;
}

const PROGRAM = fileURLToPath(new URL('memory-process.js', import.meta.url));

/** Drains in a new process. Rejects when that fails, or when `signal` aborts; the process is gone then, too. */
export async function memoryUse(task: MemoryTask, signal: AbortSignal): Promise<MemoryUse> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(task)], { signal });
  return JSON.parse(stdout) as MemoryUse;
}

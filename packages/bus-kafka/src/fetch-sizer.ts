import type { FetchedPartition } from './fetch-decoder.js';
import type { KafkaBroker } from './kafkajs-cluster.js';
import { dropConnections } from './kafkajs-repairs.js';
import { fetch } from './record-requests.js';

/** How much to fetch at most, and how it is read. */
export interface FetchSizes {
  readonly checkCrcs: boolean;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
}

/** A place to fetch from. */
export interface FetchPlace {
  readonly partition: number;
  readonly from: string;
}

const MIN_FETCH_BYTES = 65_536;
const SMALLEST_SHARE = 1 / 1_024;

/** Fetches of full size, and of less on a link so slow that a full one times out: else it would time out for ever. */
export class FetchSizer {
  private share = 1;

  constructor(
    private readonly topic: string,
    private readonly sizes: FetchSizes,
  ) {}

  async fetch(
    broker: KafkaBroker,
    places: readonly FetchPlace[],
    maxWaitMs: number,
  ): Promise<readonly FetchedPartition[]> {
    const maxBytes = this.scaled(this.sizes.maxBytesPerPartition);
    try {
      const answers = await fetch(broker, {
        topic: this.topic,
        partitions: places.map(({ partition, from }) => ({ partition, fetchOffset: from, maxBytes })),
        maxWaitMs,
        maxBytes: this.scaled(this.sizes.maxBytes),
        checkCrcs: this.sizes.checkCrcs,
      });
      if (this.share < 1) this.share = Math.min(1, this.share * 2);
      return answers;
    } catch (error) {
      if ((error as { readonly name?: string }).name === 'KafkaJSRequestTimeoutError') {
        this.share = Math.max(this.share / 4, SMALLEST_SHARE);
        dropConnections(broker, error as Error);
      }
      throw error;
    }
  }

  private scaled(bytes: number): number {
    return Math.max(MIN_FETCH_BYTES, Math.floor(bytes * this.share));
  }
}

import type { Consumption } from './transport.js';

/** A consumer of an adapter: joins its group when it starts. */
export interface StartableConsumption extends Consumption {
  /** Resolves when it is a member. Rejects, with nothing left behind, when it cannot become one. */
  start(): Promise<void>;
}

/** The consumers of a transport, from their start to their end. */
export class RunningConsumers<C extends StartableConsumption> {
  private readonly consumers: Set<C> = new Set();

  [Symbol.iterator](): Iterator<C> {
    return this.consumers[Symbol.iterator]();
  }

  /** Starts it, and keeps it until it is stopped. */
  async start(consumer: C): Promise<Consumption> {
    this.consumers.add(consumer);
    try {
      await consumer.start();
    } catch (error) {
      this.consumers.delete(consumer);
      throw error;
    }
    return {
      stop: async (timeoutMs) => {
        await consumer.stop(timeoutMs);
        this.consumers.delete(consumer);
      },
    };
  }

  /** Stops all, at once. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.stop(0)));
  }
}

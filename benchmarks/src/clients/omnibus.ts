import type { EventBus, EventBusOptions } from '@omnibus/core';

import type { Client, Consumer, ConsumerSpec, Publisher } from '../client.js';
import { EVENT_TYPE } from '../events.js';

/** The bus as it comes: no option is set but what the work itself asks for. */
export class OmnibusClient implements Client {
  constructor(private readonly createBus: (options: EventBusOptions) => EventBus) {}

  async openPublisher(): Promise<Publisher> {
    const bus = this.createBus({});
    await bus.connect();
    return { publish: ({ events }) => bus.publish(events), close: () => closed(bus) };
  }

  async createGroup(group: string): Promise<void> {
    const bus = this.createBus({ group });
    await bus.ensureGroup();
    await closed(bus);
  }

  async openConsumer({ group, concurrency, handle }: ConsumerSpec): Promise<Consumer> {
    const bus = this.createBus({ group, ...(concurrency === undefined ? {} : { concurrency }) });
    bus.subscribe(EVENT_TYPE, handle);
    await bus.startConsuming();
    return { close: () => closed(bus) };
  }
}

async function closed(bus: EventBus): Promise<void> {
  await bus.shutdown();
}

import type { EventBus } from '@omnibus/core';

import { behave, block } from './behaviour.js';
import type { ConsumerSpec, PublisherSpec, PublishOrder } from './child-protocol.js';
import { makeEvents } from './events.js';
import { pause } from './poll.js';
import { type HistorySink, recordedHandler, recordedPublish } from './recorder.js';

/** What a parent may call in a child. Arguments and results are JSON. */
export type ChildMethods = Record<string, (...args: never[]) => unknown>;

/** Answers that every child gives. */
function common(bus: EventBus, methods: ChildMethods): ChildMethods {
  return Object.assign(methods, {
    state: () => bus.state,
    stats: () => bus.stats,
    health: () => bus.health(),
    shutdown: (timeoutMs?: number) => bus.shutdown(timeoutMs === undefined ? {} : { timeoutMs }),
    block: (forMs: number) => block(forMs),
    /** What keeps the event loop alive: `TCPSocketWrap`, `Timeout`… The channel to the parent is among it. */
    resources: () => process.getActiveResourcesInfo(),
    memory: () => process.memoryUsage(),
    cpu: () => process.cpuUsage(),
    /** Lets go of the parent. A process that has nothing left to do now ends by itself; one that leaks does not. */
    leave: () => {
      methods.leaving = () => true;
      setImmediate(() => process.disconnect());
    },
  } satisfies ChildMethods);
}

/** A consumer that records, works, and does what events ask for. */
export async function consumerRole(
  bus: EventBus,
  spec: ConsumerSpec,
  sink: HistorySink,
): Promise<ChildMethods> {
  const handler = recordedHandler(
    sink,
    { group: spec.group, consumer: spec.name },
    async (event, context) => {
      if (spec.workMs) await pause(spec.workMs);
      await behave(event, context);
    },
  );
  if (spec.types) for (const type of spec.types) bus.subscribe(type, handler);
  else bus.subscribeToAllEvents(handler);
  if (spec.drainOnSigterm) drainOnSigterm(bus);
  await bus.startConsuming();
  return common(bus, {
    publish: (order: PublishOrder) => publishInOrder(bus, spec.name, order, sink),
    stopConsuming: () => bus.stopConsuming(),
    startConsuming: () => bus.startConsuming(),
  });
}

function drainOnSigterm(bus: EventBus): void {
  process.once('SIGTERM', () => {
    bus.shutdown().then(
      (report) => process.exit(report.clean ? 0 : 1),
      () => process.exit(2),
    );
  });
}

/** A publisher that records. */
export async function publisherRole(
  bus: EventBus,
  spec: PublisherSpec,
  sink: HistorySink,
): Promise<ChildMethods> {
  await bus.connect();
  return common(bus, {
    publish: (order: PublishOrder) => publishInOrder(bus, spec.name, order, sink),
  });
}

const RETRY_EVERY_MS = 100;

/** Publishes what is asked for, in order, and returns how many events were confirmed. */
async function publishInOrder(
  bus: EventBus,
  publisher: string,
  order: PublishOrder,
  sink: HistorySink,
): Promise<number> {
  const { keys, perKey, from, behaviour } = order;
  const events = makeEvents({ keys, perKey, from, ...(behaviour ? { behaviour } : {}) });
  let confirmed = 0;
  for (let at = 0; at < events.length; at += order.batch) {
    const call = events.slice(at, at + order.batch);
    for (;;) {
      try {
        await recordedPublish(sink, bus, call, { publisher });
        confirmed += call.length;
        break;
      } catch {
        // The history has the reason. Sent again with the same ids, it stays one event.
        if (!order.untilConfirmed) break;
        await pause(RETRY_EVERY_MS);
      }
    }
  }
  return confirmed;
}

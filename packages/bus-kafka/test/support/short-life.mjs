// A process that uses a bus, closes it, and should then end by itself. Says when it closed, and how many sockets are left.

import { KafkaEventBus } from '@omnibus/bus-kafka';
import { createEvent } from '@omnibus/core';

const [, , what] = process.argv;
const { BROKERS, TOPIC_PREFIX } = process.env;
const bus = new KafkaEventBus({
  brokers: what === 'dead-broker' ? '127.0.0.1:1' : BROKERS,
  topicPrefix: TOPIC_PREFIX,
  group: TOPIC_PREFIX,
});
const event = createEvent({
  eventType: 'T',
  aggregateType: 'A',
  aggregateId: 'a',
  aggregateVersion: 1,
  data: {},
});

if (what === 'consume') {
  const handled = new Promise((resolve) => bus.subscribeToAllEvents(resolve));
  await bus.startConsuming();
  await bus.publish(event);
  await handled;
} else {
  await bus.publish(event).catch((error) => what === 'dead-broker' || Promise.reject(error));
}
await bus.shutdown();
// Closed handles are let go at the end of the turn.
await new Promise(setImmediate);
const sockets = process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
process.stdout.write(JSON.stringify({ closedAtMs: Date.now(), sockets }));

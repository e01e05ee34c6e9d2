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
const closedAtMs = Date.now();
// Handles that were closed are let go a few turns of the event loop later.
const openSockets = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
for (let turn = 0; turn < 20 && openSockets() > 0; turn += 1) await new Promise(setImmediate);
process.stdout.write(JSON.stringify({ closedAtMs, sockets: openSockets() }));

// A process whose handlers wait until it is told to finish. Tells its parent what happens.
import { KafkaEventBus } from '@omnibus/bus-kafka';

let finish;
const finished = new Promise((resolve) => {
  finish = resolve;
});
process.on('message', (message) => message === 'finish' && finish());

const bus = new KafkaEventBus(JSON.parse(process.env.OPTIONS));
bus.subscribeToAllEvents(async ({ eventId }, { signal }) => {
  process.send({ type: 'handling', eventId });
  signal.addEventListener('abort', () => process.send({ type: 'aborted', eventId }));
  await finished;
});
process.on('SIGTERM', () => {
  void bus.shutdown().then(() => process.disconnect());
});
void (async () => {
  for await (const status of bus.status()) if (status.type === 'rebalanced') process.send(status);
})();
await bus.startConsuming();

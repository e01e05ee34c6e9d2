import { createEvent } from '@omnibus/core';
import { startKafka, startRabbitMQ, startRedis } from '@omnibus/test-brokers';
import { startBilling } from '../src/billing.js';
import { BUSES } from '../src/buses.js';

jest.setTimeout(300_000);

interface Broker {
  readonly address: string;
  stop(): Promise<void>;
}

const BROKERS: Readonly<Record<string, () => Promise<Broker>>> = {
  memory: () => Promise.resolve({ address: '', stop: () => Promise.resolve() }),
  kafka: async () => {
    const kafka = await startKafka();
    return { address: kafka.brokers.join(','), stop: () => kafka.stop() };
  },
  redis: async () => {
    const redis = await startRedis();
    return { address: redis.url, stop: () => redis.stop() };
  },
  rabbitmq: async () => {
    const rabbitmq = await startRabbitMQ();
    return { address: rabbitmq.urls[0] as string, stop: () => rabbitmq.stop() };
  },
};

const ACCOUNTS = ['a', 'b', 'c', 'd'];
const VERSIONS = [1, 2, 3, 4, 5];

test.each(Object.entries(BUSES))('billing does the same on %s', async (name, create) => {
  const start = BROKERS[name];
  if (!start) throw new Error(`Nothing starts a broker for ${name}`);
  const broker = await start();
  const bus = create(broker.address);
  try {
    const ledger = await startBilling(bus);
    const account = { eventType: 'MoneyMoved', aggregateType: 'Account' };
    await bus.publish(
      VERSIONS.flatMap((aggregateVersion) =>
        ACCOUNTS.map((aggregateId) =>
          createEvent({ ...account, aggregateId, aggregateVersion, data: { cents: 10 ** aggregateVersion } }),
        ),
      ),
    );
    await bus.publish(createEvent({ ...account, aggregateId: 'a', aggregateVersion: 6, data: {} }));
    while ((await bus.lag()).total > 0) await new Promise((resolve) => setTimeout(resolve, 20));

    expect([...ledger.balances].sort()).toEqual(ACCOUNTS.map((id) => [id, 111_110]));
    for (const id of ACCOUNTS)
      expect([...ledger.bookings.values()].filter((each) => each.startsWith(id))).toEqual(
        VERSIONS.map((version) => `${id} #${version}`),
      );
    expect(await bus.deadLetters.count()).toBe(1);
    expect(bus.stats.handlerErrors).toBeGreaterThan(ACCOUNTS.length);
  } finally {
    await bus.shutdown();
    await broker.stop();
  }
});

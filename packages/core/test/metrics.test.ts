import { metrics } from '@opentelemetry/api';

import { BusError } from '../src/errors.js';
import { createMetrics, type Metrics, type MetricsOptions } from '../src/metrics.js';
import { StatsCollector } from '../src/stats.js';
import { histogram, makeMetricsSdk, points, shutDownMetrics } from './metrics-sdk.js';
import { unregisterSdk } from './otel-sdk.js';

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const CLIENT = { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders.stream' };
const CONSUMER = { ...CLIENT, 'messaging.consumer.group.name': 'billing' };
const operation = (name: string): object => ({
  'messaging.operation.name': name,
  'messaging.operation.type': name,
});

let stats: StatsCollector;

function make(changes: Partial<MetricsOptions> = {}): Metrics {
  const names = { system: 'kafka', destination: 'orders.stream', group: 'billing' };
  return createMetrics({ enabled: true, ...names, stats, ...changes });
}

beforeEach(() => {
  stats = new StatsCollector();
});
afterEach(async () => {
  unregisterSdk();
  await shutDownMetrics();
});

describe('metrics', () => {
  it('counts what was sent and how long it took, failures apart', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ meterProvider: sdk.provider });
    bus.published(10, 7);
    bus.published(2, 300, new BusError('TIMEOUT', 'late'));
    const collected = await sdk.collect();
    expect(points(collected.get('messaging.client.sent.messages'))).toEqual([
      [{ ...CLIENT, ...operation('send') }, 10],
      [{ ...CLIENT, ...operation('send'), 'error.type': 'TIMEOUT' }, 2],
    ]);
    const [ok, failed] = histogram(collected.get('messaging.client.operation.duration'));
    expect(ok?.attributes).toEqual({ ...CLIENT, ...operation('send') });
    expect(ok?.value).toMatchObject({ count: 1, sum: 0.007 });
    expect(failed?.attributes).toMatchObject({ 'error.type': 'TIMEOUT' });
    expect(failed?.value).toMatchObject({ count: 1, sum: 0.3 });
  });

  it('counts deliveries and times attempts', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ meterProvider: sdk.provider });
    bus.consumed(3);
    bus.processed(20);
    bus.processed(40, 'HANDLER_TIMEOUT');
    const collected = await sdk.collect();
    expect(points(collected.get('messaging.client.consumed.messages'))).toEqual([
      [{ ...CONSUMER, ...operation('receive') }, 3],
    ]);
    const attempts = histogram(collected.get('messaging.process.duration'));
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      { ...CONSUMER, ...operation('process') },
      { ...CONSUMER, ...operation('process'), 'error.type': 'HANDLER_TIMEOUT' },
    ]);
  });

  it('uses the units and buckets of the semantic conventions', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ meterProvider: sdk.provider });
    bus.published(1, 1);
    bus.processed(1);
    const collected = await sdk.collect();
    for (const name of ['messaging.client.operation.duration', 'messaging.process.duration']) {
      expect(collected.get(name)?.descriptor.unit).toBe('s');
      expect(histogram(collected.get(name))[0]?.value.buckets.boundaries).toEqual(BUCKETS);
    }
    expect(collected.get('messaging.client.sent.messages')?.descriptor.unit).toBe('{message}');
  });

  it('counts retries, dead letters by reason, reconnections and rebalances', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ meterProvider: sdk.provider });
    bus.retried();
    bus.retried();
    bus.deadLettered('max-retries');
    bus.deadLettered('validation');
    bus.deadLettered('validation');
    bus.reconnected();
    bus.rebalanced();
    const collected = await sdk.collect();
    expect(points(collected.get('omnibus.consumer.retries'))).toEqual([[CONSUMER, 2]]);
    expect(points(collected.get('omnibus.consumer.dead_letters'))).toEqual([
      [{ ...CONSUMER, 'omnibus.dead_letter.reason': 'max-retries' }, 1],
      [{ ...CONSUMER, 'omnibus.dead_letter.reason': 'validation' }, 2],
    ]);
    expect(points(collected.get('omnibus.client.reconnections'))).toEqual([[CLIENT, 1]]);
    expect(points(collected.get('omnibus.consumer.rebalances'))).toEqual([[CONSUMER, 1]]);
  });

  it('observes what is in flight, what is pending and how far the group is behind', async () => {
    const sdk = makeMetricsSdk();
    let behind: number | Promise<number> | undefined;
    make({ meterProvider: sdk.provider, lag: () => behind });
    stats.inFlight = 4;
    stats.pendingPublishes = 9;
    let collected = await sdk.collect();
    expect(points(collected.get('omnibus.consumer.in_flight'))).toEqual([[CONSUMER, 4]]);
    expect(points(collected.get('omnibus.producer.pending'))).toEqual([[CLIENT, 9]]);
    expect(points(collected.get('omnibus.consumer.lag'))).toEqual([]);
    behind = 120;
    collected = await sdk.collect();
    expect(points(collected.get('omnibus.consumer.lag'))).toEqual([[CONSUMER, 120]]);
    behind = new Promise((resolve) => setImmediate(resolve, 130));
    collected = await sdk.collect();
    expect(points(collected.get('omnibus.consumer.lag'))).toEqual([[CONSUMER, 130]]);
  });

  it('reports the rest when the lag cannot be had', async () => {
    const sdk = makeMetricsSdk();
    make({ meterProvider: sdk.provider, lag: () => Promise.reject(new Error('broker down')) });
    stats.inFlight = 4;
    const collected = await sdk.collect();
    expect(points(collected.get('omnibus.consumer.in_flight'))).toEqual([[CONSUMER, 4]]);
    expect(points(collected.get('omnibus.consumer.lag'))).toEqual([]);
  });

  it('observes nothing after shutdown', async () => {
    const sdk = makeMetricsSdk();
    let asked = 0;
    const lag = (): number => {
      asked++;
      return 1;
    };
    const bus = make({ meterProvider: sdk.provider, lag });
    await sdk.collect();
    expect(asked).toBe(1);
    bus.shutdown();
    bus.shutdown();
    bus.retried();
    await sdk.collect();
    expect(asked).toBe(1);
  });

  it('makes no time series out of what applications throw', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ meterProvider: sdk.provider });
    for (let n = 0; n < 1_000; n++) {
      bus.processed(1, `order ${n} failed`);
      bus.deadLettered(`reason ${n}`);
    }
    const collected = await sdk.collect();
    const attempts = histogram(collected.get('messaging.process.duration'));
    expect(attempts).toHaveLength(33);
    const other = attempts.find(({ attributes }) => attributes['error.type'] === '_OTHER');
    expect(other?.value.count).toBe(1_000 - 32);
    expect(collected.get('omnibus.consumer.dead_letters')?.dataPoints).toHaveLength(33);
  });

  it('goes to an SDK that is registered after the bus was made, gauges too', async () => {
    const bus = make();
    bus.consumed(5);
    const sdk = makeMetricsSdk();
    metrics.setGlobalMeterProvider(sdk.provider);
    bus.consumed(2);
    stats.inFlight = 2;
    const collected = await sdk.collect();
    expect(points(collected.get('messaging.client.consumed.messages')).map(([, value]) => value)).toEqual([
      2,
    ]);
    expect(points(collected.get('omnibus.consumer.in_flight')).map(([, value]) => value)).toEqual([2]);
  });

  it('says nothing when it is switched off', async () => {
    const sdk = makeMetricsSdk();
    const bus = make({ enabled: false, meterProvider: sdk.provider });
    bus.published(1, 1);
    bus.consumed(1);
    bus.processed(1);
    bus.retried();
    bus.deadLettered('crash');
    bus.reconnected();
    bus.rebalanced();
    bus.shutdown();
    expect([...(await sdk.collect()).keys()]).toEqual([]);
  });
});

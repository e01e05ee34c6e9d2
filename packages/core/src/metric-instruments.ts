import type {
  BatchObservableCallback,
  Counter,
  Histogram,
  Meter,
  Observable,
  ObservableGauge,
  ObservableUpDownCounter,
} from '@opentelemetry/api';

/** What the semantic conventions advise, in seconds. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The instruments of one meter. Those of `messaging.*` are the semantic conventions'. */
export interface MetricInstruments {
  readonly operationDuration: Histogram;
  readonly sentMessages: Counter;
  readonly consumedMessages: Counter;
  readonly processDuration: Histogram;
  readonly retries: Counter;
  readonly deadLetters: Counter;
  readonly reconnections: Counter;
  readonly rebalances: Counter;
  readonly inFlight: ObservableUpDownCounter;
  readonly pendingPublishes: ObservableUpDownCounter;
  readonly lag: ObservableGauge;
  /** Calls `observe` at each collection; the result takes that back. */
  onCollect(observe: BatchObservableCallback): () => void;
}

export function createInstruments(meter: Meter): MetricInstruments {
  const counter = (name: string, unit: string, description: string): Counter =>
    meter.createCounter(name, { unit, description });
  const duration = (name: string, description: string): Histogram =>
    meter.createHistogram(name, {
      unit: 's',
      description,
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    });
  const event = { unit: '{event}' };
  const observables = {
    inFlight: meter.createObservableUpDownCounter('omnibus.consumer.in_flight', {
      ...event,
      description: 'Deliveries that are not settled yet.',
    }),
    pendingPublishes: meter.createObservableUpDownCounter('omnibus.producer.pending', {
      ...event,
      description: 'Events accepted by publish and not yet confirmed.',
    }),
    lag: meter.createObservableGauge('omnibus.consumer.lag', {
      ...event,
      description: 'Events published and not yet settled by the group.',
    }),
  };
  return {
    operationDuration: duration(
      'messaging.client.operation.duration',
      'Duration of a send, to the broker’s answer.',
    ),
    sentMessages: counter('messaging.client.sent.messages', '{message}', 'Messages that were sent.'),
    consumedMessages: counter(
      'messaging.client.consumed.messages',
      '{message}',
      'Messages that were delivered.',
    ),
    processDuration: duration('messaging.process.duration', 'Duration of one attempt to handle an event.'),
    retries: counter('omnibus.consumer.retries', '{attempt}', 'Attempts after the first.'),
    deadLetters: counter('omnibus.consumer.dead_letters', '{event}', 'Events given up and dead-lettered.'),
    reconnections: counter('omnibus.client.reconnections', '{reconnection}', 'Connections that came back.'),
    rebalances: counter('omnibus.consumer.rebalances', '{rebalance}', 'Changes of the partitions owned.'),
    ...observables,
    onCollect: (observe) => whileCollecting(meter, observe, Object.values(observables)),
  };
}

function whileCollecting(
  meter: Meter,
  observe: BatchObservableCallback,
  observables: Observable[],
): () => void {
  meter.addBatchObservableCallback(observe, observables);
  return () => meter.removeBatchObservableCallback(observe, observables);
}

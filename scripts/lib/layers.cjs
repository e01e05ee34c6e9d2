/**
 * Core's layers, from the lowest up: a file may import from its own layer and from those above it in this
 * list, never from one below. Names are paths inside `packages/core/src` without the extension; a name that
 * ends in a slash is a folder. A file that no layer names is an error, so that its place is decided and not
 * stumbled into.
 */
const CORE_LAYERS = [
  {
    name: 'types',
    files: ['errors', 'event', 'event-bus', 'standard-schema', 'status', 'transport'],
  },
  {
    name: 'pure',
    files: [
      'codec',
      'dead-letter-filter',
      'dead-letter-record',
      'define-event',
      'describe-error',
      'envelope',
      'envelope-fields',
      'fifo',
      'headers',
      'in-order-per-key',
      'instant',
      'journal',
      'json-event-reader',
      'json-event-writer',
      'json-integers',
      'json-values',
      'nearest-name',
      'options',
      'options-rules',
      'partition',
      'record-attributes',
      'retry',
      'secret',
    ],
  },
  {
    name: 'stateful',
    files: [
      'accumulator',
      'consume-engine',
      'consumption-control',
      'context',
      'dead-letter-queue',
      'dead-letter-replay',
      'delivery',
      'dispatch',
      'engine-parts',
      'failure-policy',
      'health',
      'health-probe',
      'history-replay',
      'journal-keeper',
      'latency',
      'lifecycle',
      'metric-attributes',
      'metric-instruments',
      'metrics',
      'otel',
      'partition-lane',
      'process-span',
      'publish-path',
      'publish-span',
      'registry',
      'schema-check',
      'scheduler',
      'span-failure',
      'span-tools',
      'stats',
      'status-stream',
      'timers',
      'trace-attributes',
      'trace-propagation',
      'tracing',
      'tracing-types',
      'w3c',
    ],
  },
  { name: 'engine', files: ['transport-event-bus'] },
  { name: 'memory', files: ['memory/'] },
  { name: 'entry', files: ['index', 'transport-entry'] },
];

/** What a bus may import besides core: its broker's client. */
const BUS_CLIENTS = { 'bus-kafka': 'kafkajs', 'bus-redis': 'ioredis', 'bus-rabbitmq': 'amqplib' };

module.exports = { CORE_LAYERS, BUS_CLIENTS };

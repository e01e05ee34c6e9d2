/**
 * What is mutated together, and the files of tests that are asked, the quickest first. Each part fits an hour on two cores. A
 * mutant that only another file of tests would find counts as survived: the scores are lower bounds.
 */
export const PARTS = {
  lanes: {
    files: ['partition-lane', 'dispatch', 'fifo', 'in-order-per-key', 'serial-mode', 'unheard-runs'],
    tests: [
      'in-order-per-key.test',
      'owned-partition.test',
      'attempts.test',
      'timers.test',
      'dispatch.test',
      'partition-lane.test',
      'serial-mode.test',
      'lost-together.test',
      'unheard-runs.test',
      'undurable.test',
      'hostile-records.test',
      'giving-up.test',
      'engine.test',
      'mutation/brief-simulation',
    ],
  },
  publishing: {
    files: ['accumulator', 'publish-path', 'publish-turns'],
    tests: ['accumulator.test', 'publishing.test', 'publish-error.test', 'lifecycle-bus.test'],
  },
  journal: {
    files: ['journal', 'journal-keeper', 'retry'],
    tests: ['retry.test', 'journal.test', 'journal-keeper.test', 'owned-partition.test'],
  },
  failures: {
    files: ['delay', 'delivery', 'durability', 'failure-policy', 'group-commit'],
    tests: [
      'group-commit.test',
      'owned-partition.test',
      'partition-lane.test',
      'lost-together.test',
      'undurable.test',
      'hostile-errors.test',
      'hostile-records.test',
      'giving-up.test',
      'engine.test',
      'mutation/brief-simulation',
    ],
  },
  lifecycle: {
    files: ['consume-engine', 'consumption-control', 'lifecycle', 'running-consumers', 'scheduler', 'timers'],
    tests: [
      'clock.test',
      'timers.test',
      'lifecycle.test',
      'dispatch.test',
      'partition-lane.test',
      'serial-mode.test',
      'lost-together.test',
      'unheard-runs.test',
      'undurable.test',
      'lifecycle-bus.test',
      'engine.test',
      'mutation/brief-simulation',
    ],
  },
  codec: {
    files: [
      'codec',
      'instant',
      'json-event-reader',
      'json-event-writer',
      'json-integers',
      'json-values',
      'partition',
    ],
    tests: ['codec.test', 'instant.test', 'partition.test'],
  },
  envelope: {
    files: [
      'dead-letter-filter',
      'dead-letter-record',
      'envelope',
      'envelope-fields',
      'headers',
      'record-attributes',
    ],
    tests: ['dead-letter-queue.test', 'dead-letter-record.test', 'envelope.test', 'hostile-records.test'],
  },
  options: {
    files: [
      'call-options',
      'define-event',
      'nearest-name',
      'options',
      'options-pem',
      'options-rules',
      'options-security',
      'options-tls',
      'secret',
    ],
    tests: ['define-event.test', 'options.test', 'options-security.test', 'secret.test'],
  },
};

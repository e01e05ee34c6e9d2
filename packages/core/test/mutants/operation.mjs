/** Operation: statistics, status, lifecycle, rest. */
export const operation = [
  {
    name: 'counts-first-attempts-as-retries',
    defect: 'counts every attempt as a retry',
    caughtBy: ['ST02'],
    changes: [
      {
        file: 'consume-engine.ts',
        find: 'if (delivery.attemptsMade > 0) {',
        replace: 'if (delivery.attemptsMade >= 0) {',
      },
    ],
  },
  {
    name: 'tells-a-return-as-a-beginning',
    defect: 'says that it is connected when it is connected again',
    caughtBy: ['ST06'],
    changes: [
      {
        file: 'transport-event-bus.ts',
        find: "this.#onStatus({ type: 'reconnected', atMs, downMs: atMs - this.#disconnectedAtMs });",
        replace: "this.#onStatus({ type: 'connected', atMs });",
      },
    ],
  },
  {
    name: 'labels-metrics-with-keys',
    defect: 'makes a time series of each key',
    caughtBy: ['ST06'],
    changes: [
      {
        file: 'consume-engine.ts',
        find: 'this.parts.metrics.processed(durationMs);',
        replace: 'this.parts.metrics.processed(durationMs, delivery.lane.key);',
      },
    ],
  },
  {
    name: 'connects-with-every-call',
    defect: 'opens its transport once for each call that finds it closed',
    caughtBy: ['LC01'],
    changes: [
      {
        file: 'transport-event-bus.ts',
        find: 'this.#connecting ??= this.#open()',
        replace: 'this.#connecting = this.#open()',
      },
      {
        file: 'transport-event-bus.ts',
        find: "this.#lifecycle.to('connecting');",
        replace: "if (this.#lifecycle.can('connecting')) this.#lifecycle.to('connecting');",
      },
      {
        file: 'memory/memory-transport.ts',
        find: 'this.disconnect ??= this.broker.connect({',
        replace: 'this.disconnect = this.broker.connect({',
      },
    ],
  },
  {
    name: 'joins-with-every-start',
    defect: 'joins its group once more when it is started again',
    caughtBy: ['LC01'],
    changes: [
      {
        file: 'consumption-control.ts',
        find: 'if (!this.#running && this.#wanted)',
        replace: 'if (this.#wanted)',
      },
    ],
  },
  {
    name: 'waits-for-a-dead-broker',
    defect: 'waits without end for a broker that is down',
    caughtBy: ['LC05'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: "if (!this.broker.isRunning) throw new BusError('CONNECT', 'The memory broker is stopped: start it');",
        replace:
          'while (!this.broker.isRunning && !this.closed) await new Promise((resolve) => setTimeout(resolve, 20));',
      },
    ],
  },
  {
    name: 'leaves-its-group-to-pause',
    defect: 'gives its partitions away when it is paused',
    caughtBy: ['LC08'],
    changes: [
      {
        file: 'transport-event-bus.ts',
        find: 'this.#engine.pause();',
        replace: 'void this.stopConsuming();',
      },
      {
        file: 'transport-event-bus.ts',
        find: 'this.#engine.resume();',
        replace: 'void this.startConsuming();',
      },
    ],
  },
  {
    name: 'never-rests',
    defect: 'looks a thousand times a second whether there is something to do',
    caughtBy: ['LD06'],
    changes: [
      {
        file: 'consume-engine.ts',
        find: 'this.concurrency = options.concurrency;',
        replace:
          'this.concurrency = options.concurrency;\n    setInterval(() => this.scheduler.pump(), 1).unref();',
      },
    ],
  },
  {
    name: 'keeps-every-record',
    defect: 'drops nothing of a stream, however much of it every group has settled',
    caughtBy: ['LD04'],
    changes: [
      {
        file: 'memory/memory-log.ts',
        find: 'if (dropped < Math.max(1, retained / 2)) return;',
        replace: 'if (dropped < Math.max(1, retained * 100)) return;',
      },
    ],
  },
];

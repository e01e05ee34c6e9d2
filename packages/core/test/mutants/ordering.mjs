/** Order and competition: who handles what, when, and how much at once. */
export const ordering = [
  {
    name: 'places-keys-by-their-first-letter',
    defect: 'puts nearly all keys into one partition',
    caughtBy: ['OR02', 'CC02'],
    changes: [
      {
        file: 'partition.ts',
        find: 'return (murmur2(key) & 0x7fffffff) % count;',
        replace: 'return (murmur2(key.slice(0, 1)) & 0x7fffffff) % count;',
      },
    ],
  },
  {
    name: 'keeps-no-order-in-a-partition',
    defect: 'handles the events of a partition side by side, those of one key too',
    caughtBy: ['OR03', 'FA11'],
    changes: [
      {
        file: 'partition-lane.ts',
        find: "const key = record.key ?? '';",
        replace: 'const key = record.position;',
      },
    ],
  },
  {
    name: 'hands-over-while-handlers-run',
    defect: 'gives a partition away without waiting for the handlers that run',
    caughtBy: ['CC04', 'OR06'],
    changes: [{ file: 'partition-lane.ts', find: 'if (this.busy > 0)\n', replace: 'if (false)\n' }],
  },
  {
    name: 'assigns-what-others-own',
    defect: 'gives a member partitions that another member of the group still has',
    caughtBy: ['CC01', 'CC06'],
    changes: [
      {
        file: 'memory/memory-stream.ts',
        find: 'const owned = new Set(active.flatMap((member) => member.partitions));',
        replace: 'const owned = new Set(active.slice(1).flatMap((member) => member.partitions));',
      },
    ],
  },
  {
    name: 'rounds-shares-up',
    defect: 'gives the first members so many partitions that none is left for the last',
    caughtBy: ['CC02', 'CC04'],
    changes: [
      {
        file: 'memory/memory-stream.ts',
        find: 'const share = Math.floor(this.partitions / active.length);',
        replace: 'const share = Math.ceil(this.partitions / active.length);',
      },
    ],
  },
  {
    name: 'counts-the-handlers-of-all-buses',
    defect: 'holds the running handlers of all buses of the process against the bound of each',
    caughtBy: ['CC03'],
    changes: [
      {
        file: 'scheduler.ts',
        find: '  running = 0;\n',
        replace: `  static all = 0;
  get running(): number {
    return Scheduler.all;
  }
  set running(count: number) {
    Scheduler.all = count;
  }
`,
      },
    ],
  },
  {
    name: 'skips-where-batches-meet',
    defect: 'loses the first record of a batch that waited behind another',
    caughtBy: ['CC06'],
    changes: [
      {
        file: 'partition-lane.ts',
        find: `    this.inboxOffset = 0;
    return this.inbox.peek()?.[0];`,
        replace: `    this.inboxOffset = 1;
    return this.inbox.peek()?.[1];`,
      },
    ],
  },
  {
    name: 'runs-one-handler-too-many',
    defect: 'starts one handler more than it may',
    caughtBy: ['LD03', 'OR03'],
    changes: [
      {
        file: 'scheduler.ts',
        find: 'this.running < (this.serial.active ? 1 : this.concurrency)',
        replace: 'this.running <= (this.serial.active ? 1 : this.concurrency)',
      },
    ],
  },
  {
    name: 'removes-groups-that-nobody-reads',
    defect: 'forgets where a group was when its last member leaves',
    caughtBy: ['FG04', 'RT01'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'if (wanted.ephemeral && this.stream',
        replace: 'if (this.stream',
      },
    ],
  },
  {
    name: 'keeps-ephemeral-groups',
    defect: 'leaves the group of an anonymous subscriber on the broker',
    caughtBy: ['FG06'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'if (wanted.ephemeral && this.stream',
        replace: 'if (!wanted.ephemeral && wanted.ephemeral && this.stream',
      },
    ],
  },
  {
    name: 'starts-every-group-at-the-beginning',
    defect: 'gives a group that starts at the latest event all that is retained',
    caughtBy: ['FG05'],
    changes: [
      {
        file: 'memory/memory-group.ts',
        find: "startFrom === 'latest' ? log.end : log.start",
        replace: 'log.start',
      },
    ],
  },
  {
    name: 'makes-no-group-before-it-consumes',
    defect: 'resolves ensureGroup without making the group',
    caughtBy: ['FG05'],
    changes: [
      {
        file: 'transport-event-bus.ts',
        find: 'await this.#parts.tracing.suppress(() => this.#transport.ensureGroup(this.#group()));',
        replace: '',
      },
    ],
  },
  {
    name: 'keeps-one-stream-for-all-names',
    defect: 'puts the events of all namespaces into one stream',
    caughtBy: ['SU08'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'return this.broker.stream(this.destination);',
        replace: "return this.broker.stream('events');",
      },
    ],
  },
];

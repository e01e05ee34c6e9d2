/** Replay of history: exactly the range, beside the life of the groups. */
export const replay = [
  {
    name: 'does-not-mark-a-replay',
    defect: 'gives a handler history without saying that it is history',
    caughtBy: ['RP01'],
    changes: [
      {
        file: 'history-replay.ts',
        find: 'partition, redelivered: false, replay: true },',
        replace: 'partition, redelivered: false, replay: false },',
      },
    ],
  },
  {
    name: 'reads-one-too-many',
    defect: 'reads the first event behind the range too',
    caughtBy: ['RP02'],
    changes: [
      {
        file: 'memory/memory-history.ts',
        find: 'return Math.min(log.end, offsetOf(until.positions[partition], partition, log.end));',
        replace: 'return Math.min(log.end, offsetOf(until.positions[partition], partition, log.end) + 1);',
      },
    ],
  },
  {
    name: 'looks-for-times-backwards',
    defect: 'takes the first event before a time for the first after it',
    caughtBy: ['RP02', 'CF05'],
    changes: [
      {
        file: 'memory/memory-log.ts',
        find: '(record.timestampMs ?? 0) >= timeMs',
        replace: '(record.timestampMs ?? 0) <= timeMs',
      },
    ],
  },
  {
    name: 'settles-what-it-replays',
    defect: 'takes what is replayed for settled in the groups that have not had it yet',
    caughtBy: ['RP03'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'return readHistory(this.stream.logs, query);',
        replace: `for (const name of this.stream.groupNames)
        this.stream.logs.forEach((log, partition) =>
          this.stream.group(name)?.settle(partition, log.read(log.start, log.end - log.start)),
        );
      return readHistory(this.stream.logs, query);`,
      },
    ],
  },
];

/** This bus with one line of settlement or fencing broken, and the ids of the kit that are to find it. */
export const mutants = [
  {
    name: 'kafka-commits-gaps',
    defect: 'commits behind the last event that was handled, though one before it is not',
    caughtBy: ['CC05', 'RT07'],
    changes: [
      {
        file: 'owned-partition.ts',
        find: `    this.latest = batch;
    this.journal = batch;`,
        replace: `    this.latest = { ...batch, watermark: batch.records[batch.records.length - 1] };
    this.journal = batch;`,
      },
    ],
  },
  {
    name: 'kafka-handles-what-it-lost',
    defect: 'starts handlers of partitions that others may own by now',
    caughtBy: ['FA09'],
    changes: [
      {
        file: 'owned-partition.ts',
        find: 'return !this.isLost && this.host.isInSession();',
        replace: 'return !this.isLost;',
      },
    ],
  },
  {
    name: 'kafka-writes-no-journal',
    defect: 'stores no journal, so that attempts are forgotten when a process dies',
    caughtBy: ['RT07', 'PO07'],
    changes: [
      { file: 'owned-partition.ts', find: 'metadata: this.journal.journal,', replace: "metadata: ''," },
    ],
  },
];

/** This bus with one line of settlement or fencing broken, and the ids of the kit that are to find it. */
export const mutants = [
  {
    name: 'redis-reads-unfenced',
    defect: 'reads without asking whether the partition is still its own',
    caughtBy: ['FA09'],
    changes: [
      { file: 'fenced-read.ts', find: '...reads.map(({ pass }) => pass),', replace: '' },
      { file: 'fenced-read.ts', find: "...reads.map(() => '>'),", replace: '' },
    ],
  },
  {
    name: 'redis-reads-before-take-over',
    defect: 'reads what is new before what its former owner left pending',
    caughtBy: ['CC05'],
    changes: [{ file: 'owned-partition.ts', find: "readFrom = '0-0';", replace: 'readFrom = NEW;' }],
  },
  {
    name: 'redis-writes-no-journal',
    defect: 'stores no journal, so that attempts are forgotten when a process dies',
    caughtBy: ['RT07', 'PO07'],
    changes: [
      {
        file: 'owned-partition.ts',
        find: "journal: journal === this.storedJournal ? '' : journal,",
        replace: "journal: '',",
      },
    ],
  },
];

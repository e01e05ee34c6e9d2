/** This bus with one line of settlement or fencing broken, and the ids of the kit that are to find it. */
export const mutants = [
  {
    name: 'redis-trusts-its-leases',
    defect: 'handles events of partitions whose lease ended while it stood still',
    caughtBy: ['FA09'],
    changes: [{ file: 'lease.ts', find: 'return this.asked.ms < this.leaseMs;', replace: 'return true;' }],
  },
  {
    name: 'redis-claims-nothing',
    defect: 'takes a partition over without what its former owner had in hand',
    caughtBy: ['CC05'],
    changes: [
      {
        file: 'scripts.ts',
        find: 'if info[2] ~= ARGV[4] then lost',
        replace: 'if false then lost',
      },
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

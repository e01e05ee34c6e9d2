/** This bus with one line of settlement, fencing, security or topology broken, and the ids of the kit that are to find it. */
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
  {
    name: 'redis-trusts-every-certificate',
    defect: 'takes any server for the right one',
    caughtBy: ['SE01'],
    changes: [
      {
        file: 'client.ts',
        find: '{ tls: tlsConnectOptions(tls) }',
        replace: '{ tls: { ...tlsConnectOptions(tls), rejectUnauthorized: false } }',
      },
    ],
  },
  {
    name: 'redis-remembers-its-password',
    defect: 'logs in for ever with the password that it was first given',
    caughtBy: ['SE02'],
    changes: [
      {
        file: 'login.ts',
        find: 'await untilAnswered(() =>',
        replace: 'if (!redis.options.password) await untilAnswered(() =>',
      },
    ],
  },
  {
    name: 'redis-takes-a-missing-right-for-a-failure-of-the-moment',
    defect: 'tries again what the user may not do',
    caughtBy: ['SE03'],
    changes: [
      {
        file: 'errors.ts',
        find: "NOPERM: { code: 'AUTHORIZATION' },",
        replace: "NOPERM: { code: 'BROKER' },",
      },
    ],
  },
  {
    name: 'redis-uses-what-it-finds',
    defect: 'spreads keys over more partitions than the stream was made with',
    caughtBy: ['CF04'],
    changes: [
      {
        file: 'topology.ts',
        find: 'if (Number(stored) < wanted) throw fewerPartitions(keys, Number(stored), wanted);',
        replace: '',
      },
    ],
  },
];

import { parseArgs } from 'node:util';

import { type Selector, selectIds } from './plan.js';

/** Buses that the command line knows by name. */
export const SHIPPED_BUSES = ['memory', 'kafka', 'redis', 'rabbitmq'] as const;

/** One of them. */
export type ShippedBus = (typeof SHIPPED_BUSES)[number];

/** What the command line asks for. */
export interface CliOptions {
  readonly bus: ShippedBus | undefined;
  readonly url: string | undefined;
  readonly modulePath: string | undefined;
  /** Undefined: all that the kit has tests for. */
  readonly only: readonly Selector[] | undefined;
  readonly claims: readonly Selector[] | undefined;
  readonly reportPath: string | undefined;
  readonly long: boolean;
}

/** A command line that cannot be followed. Its message is all that the user needs. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** What `--help` prints. */
export const HELP = `omnibus-conformance: shows on a real broker what an event bus guarantees.

Usage
  omnibus-conformance --bus memory
  omnibus-conformance --bus kafka --url localhost:9092 --report report.json
  omnibus-conformance --module ./my-bus-under-test.js --level 2

Options
  --bus <name>      memory, kafka, redis or rabbitmq: a bus of Omnibus, installed in this project
  --url <address>   its broker: host:port, a list of those, or a URL
  --module <path>   a module that exports a subject: any other bus, or more tools (see "subject" below)
  --level <1-4>     claim and run the levels up to this one: an id of them that cannot be run is a failure
  --ids <list>      run only these: ids, areas or levels (CT01,OR,L2)
  --claims <list>   fail when one of these is not run  [default: those that are run]
  --report <file>   write the report as JSON: every id is in it
  --long            tests that last for minutes last as long as the catalogue says (LD04: five minutes, not 30 s)
  --help            this text

Subject
  The module exports "subject" (a ConformanceSubject, or a function that returns one) or just "create", the factory of
  the bus. With --bus and --url alone the broker can be looked at but not hurt: ids that stop, pause or cut it are
  reported as not run. A module can provide how.

Exit codes
  0 everything that ran passed, and everything claimed was run   1 something failed
  2 the command line is wrong                                    130 interrupted
`;

/** Reads the command line; `help` for `--help`. Throws `UsageError`. */
export function readCliOptions(args: readonly string[]): CliOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const bus = busOf(values.bus);
  if (bus === undefined && values.module === undefined)
    throw new UsageError('Name a bus with --bus, or a module with --module');
  if (bus !== undefined && values.module !== undefined) throw new UsageError('Give either --bus or --module');
  if (bus !== undefined && bus !== 'memory' && values.url === undefined)
    throw new UsageError(`--bus ${bus} needs --url`);
  const upTo = levelsUpTo(values.level);
  const ids = list('--ids', values.ids);
  return {
    bus,
    url: values.url,
    modulePath: values.module,
    only: ids ?? upTo,
    claims: list('--claims', values.claims) ?? (ids ? undefined : upTo),
    reportPath: values.report,
    long: values.long ?? false,
  };
}

type Values = Readonly<
  Partial<Record<'bus' | 'url' | 'module' | 'level' | 'ids' | 'claims' | 'report', string>>
> & {
  readonly help?: boolean;
  readonly long?: boolean;
};

function parse(args: readonly string[]): Values {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        bus: text,
        url: text,
        module: text,
        level: text,
        ids: text,
        claims: text,
        report: text,
        help: { type: 'boolean', short: 'h' },
        long: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function busOf(name: string | undefined): ShippedBus | undefined {
  if (name === undefined) return undefined;
  const known = SHIPPED_BUSES.find((bus) => bus === name);
  if (!known)
    throw new UsageError(`--bus must be one of ${SHIPPED_BUSES.join(', ')}; for another bus use --module`);
  return known;
}

function levelsUpTo(level: string | undefined): readonly Selector[] | undefined {
  if (level === undefined) return undefined;
  if (!/^[1-4]$/.test(level)) throw new UsageError('--level must be a number from 1 to 4');
  return Array.from({ length: Number(level) }, (_, n) => `L${n + 1}`);
}

function list(option: string, value: string | undefined): readonly Selector[] | undefined {
  if (value === undefined) return undefined;
  const selectors = value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  try {
    selectIds(selectors);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
  if (selectors.length === 0) throw new UsageError(`${option} names nothing`);
  return selectors;
}

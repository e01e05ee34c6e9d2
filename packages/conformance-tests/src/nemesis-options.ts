import { parseArgs } from 'node:util';

import { SHIPPED_BUSES, type ShippedBus, UsageError } from './cli-options.js';

/** What the command line of the nemesis asks for. */
export interface NemesisCliOptions {
  readonly bus: ShippedBus | undefined;
  /** The broker is a cluster, whose nodes are hurt one by one. */
  readonly cluster: boolean;
  readonly modulePath: string | undefined;
  /** As it was given, for the command that repeats the run. */
  readonly duration: string;
  readonly durationMs: number;
  readonly seed: number;
  readonly reportPath: string | undefined;
}

/** What `--help` prints. */
export const NEMESIS_HELP = `nemesis: hurts a bus, its broker and its consumers for a while, and looks what became of every event.

Usage
  npm run nemesis -- --bus memory
  npm run nemesis -- --bus kafka --minutes 30 --seed 7 --report nemesis-kafka.json

Options
  --bus <name>      memory, kafka, redis or rabbitmq; its broker is started for the run
  --cluster         a broker of several nodes, which are hurt one by one: kafka, redis or rabbitmq
  --minutes <n>     how long it goes on  [default: 90 seconds]
  --seconds <n>     the same in seconds
  --seed <n>        what the schedule and the events are drawn from, 0 to 4294967295  [default: a new one, printed]
  --report <file>   write the report as JSON
  --help            this text

The schedule and what happens go to stderr, the table to stdout. The drain comes on top of the time given.

Exit codes
  0 nothing lost, reordered or handled side by side    1 something broke: the shortest history that shows it is printed
  2 the command line is wrong                          130 interrupted
`;

const DEFAULT_SECONDS = 90;
const SHORTEST_SECONDS = 15;
const SEEDS = 2 ** 32;

/** Reads the command line; `help` for `--help`. Throws `UsageError`. */
export function readNemesisOptions(args: readonly string[]): NemesisCliOptions | 'help' {
  const values = parse(args);
  if (values.help) return 'help';
  const bus = SHIPPED_BUSES.find((name) => name === values.bus);
  if (values.bus !== undefined && bus === undefined)
    throw new UsageError(`--bus must be one of ${SHIPPED_BUSES.join(', ')}, got ${values.bus}`);
  if (bus === undefined && values.module === undefined) throw new UsageError('Name a bus with --bus');
  if (values.cluster && (bus === undefined || bus === 'memory'))
    throw new UsageError('--cluster needs --bus kafka, redis or rabbitmq');
  if (values.minutes !== undefined && values.seconds !== undefined)
    throw new UsageError('Give either --minutes or --seconds');
  const seconds =
    values.minutes === undefined
      ? numberOf('--seconds', values.seconds ?? String(DEFAULT_SECONDS))
      : 60 * numberOf('--minutes', values.minutes);
  if (seconds < SHORTEST_SECONDS)
    throw new UsageError(`A run takes at least ${SHORTEST_SECONDS} seconds, got ${seconds}`);
  return {
    bus,
    cluster: values.cluster ?? false,
    modulePath: values.module,
    duration: values.minutes === undefined ? `--seconds ${seconds}` : `--minutes ${values.minutes}`,
    durationMs: seconds * 1_000,
    seed: values.seed === undefined ? Math.floor(Math.random() * SEEDS) : seedOf(values.seed),
    reportPath: values.report,
  };
}

type Values = Readonly<
  Partial<Record<'bus' | 'module' | 'minutes' | 'seconds' | 'seed' | 'report', string>>
> & {
  readonly help?: boolean;
  readonly cluster?: boolean;
};

function parse(args: readonly string[]): Values {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        bus: text,
        cluster: { type: 'boolean' },
        module: text,
        minutes: text,
        seconds: text,
        seed: text,
        report: text,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new UsageError(`${option} must be a number above 0, got ${JSON.stringify(text)}`);
  return value;
}

/** A seed from text. Throws `UsageError` for anything but a whole number of 32 bits. */
export function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed >= SEEDS)
    throw new UsageError(`A seed is a whole number from 0 to ${SEEDS - 1}, got ${JSON.stringify(text)}`);
  return seed;
}

import { Command, InvalidArgumentError, Option } from 'commander';

import { BROKERS } from './brokers/index.js';
import type { Cell } from './cells/cell.js';
import { CELLS } from './cells/index.js';

/** What was asked for. */
export interface BenchOptions {
  /** Name of a broker, or `memory`: only what needs none. */
  readonly bus: string;
  readonly cells: readonly Cell[];
  readonly rounds: number;
  readonly events: number;
  /** File for the result as JSON. */
  readonly json: string | undefined;
}

/** No broker: the cells of core alone. */
export const NO_BROKER = 'memory';

const DEFAULT_ROUNDS = 5;
const DEFAULT_EVENTS = 100_000;
const MAX_ROUNDS = 1_000;
const MAX_EVENTS = 10_000_000;

/** Reads the command line. Throws commander's `CommanderError` (its `exitCode` is 0 after `--help`); what to say is said. */
export function parseArguments(argv: readonly string[], say?: (text: string) => void): BenchOptions {
  const command = new Command('npm run bench --')
    .description("Measures the bus against its broker's own client, which does the same work.")
    .addOption(
      new Option('--bus <name>', `the broker; ${NO_BROKER}: none, only the cells of core alone`)
        .choices([...Object.keys(BROKERS), NO_BROKER])
        .default('kafka'),
    )
    .option('--cells <ids>', 'what to measure, with commas between the ids', cellsNamed)
    .option('--rounds <n>', 'how often each side is measured', wholeNumber(MAX_ROUNDS), DEFAULT_ROUNDS)
    .option(
      '--events <n>',
      'how many events; some cells take a share',
      wholeNumber(MAX_EVENTS),
      DEFAULT_EVENTS,
    )
    .option('--json <file>', 'write the result there, too')
    .addHelpText('after', `\nCells:\n${CELLS.map(({ id, title }) => `  ${id.padEnd(4)}${title}`).join('\n')}`)
    .allowExcessArguments(false)
    .showHelpAfterError('Try --help.')
    .exitOverride();
  if (say) command.configureOutput({ writeOut: say, writeErr: say });
  command.parse([...argv], { from: 'user' });
  const { bus, cells, rounds, events, json } = command.opts<Partial<BenchOptions>>();
  return {
    bus: bus ?? '',
    cells: choose(command, bus === NO_BROKER, cells),
    rounds: rounds ?? DEFAULT_ROUNDS,
    events: events ?? DEFAULT_EVENTS,
    json,
  };
}

function choose(
  command: Command,
  withoutBroker: boolean,
  named: readonly Cell[] | undefined,
): readonly Cell[] {
  const possible = withoutBroker ? CELLS.filter(({ needsBroker }) => !needsBroker) : CELLS;
  const impossible = (named ?? []).filter((cell) => !possible.includes(cell));
  if (impossible.length > 0)
    command.error(`error: ${impossible.map(({ id }) => id).join(', ')} needs a broker: see --bus`);
  return named ?? possible;
}

function cellsNamed(text: string): readonly Cell[] {
  const ids = text.split(',').map((id) => id.trim().toUpperCase());
  const unknown = ids.filter((id) => !CELLS.some((cell) => cell.id === id));
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `There is no cell ${unknown.map((id) => JSON.stringify(id)).join(', ')}, only ${CELLS.map(({ id }) => id).join(', ')}.`,
    );
  return CELLS.filter(({ id }) => ids.includes(id));
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}

import { Command, InvalidArgumentError, Option } from 'commander';

import { BUSES, type BusName } from './broker.js';
import { FLIGHTS_IN_FILE } from './flights/flights-file.js';

/** What the demo was asked for. */
export interface DemoOptions {
  readonly bus: BusName;
  readonly events: number;
  readonly consumers: number;
}

/** The stream's partitions: more consumers would have nothing to do. */
const MAX_CONSUMERS = 8;
const EXIT_MISUSE = 2;

/** Reads the command line. Ends the process after `--help`, and with code 2 and a hint when it makes no sense. */
export function parseArguments(argv: readonly string[]): DemoOptions {
  const command = new Command('npm start --')
    .description('Sends flight records through an event bus, with failures, and audits what arrived.')
    .addOption(new Option('--bus <name>', 'the bus to use').choices([...BUSES]).default('memory'))
    .option(
      '--events <n>',
      `how many flights, up to ${FLIGHTS_IN_FILE}`,
      wholeNumber(FLIGHTS_IN_FILE),
      FLIGHTS_IN_FILE,
    )
    .option(
      '--consumers <n>',
      `how many compete for the events, up to ${MAX_CONSUMERS}: processes on a server, buses of one process on memory`,
      wholeNumber(MAX_CONSUMERS),
      1,
    )
    .allowExcessArguments(false)
    .showHelpAfterError('Try --help.')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_MISUSE));
  return command.parse([...argv], { from: 'user' }).opts<DemoOptions>();
}

function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };
}

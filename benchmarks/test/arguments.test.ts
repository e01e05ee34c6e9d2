import { CommanderError } from 'commander';

import { type BenchOptions, parseArguments } from '../src/arguments.js';

function idsOf({ cells }: BenchOptions): readonly string[] {
  return cells.map(({ id }) => id);
}

/** The error of a command line, with what was said. */
function refusal(...argv: readonly string[]): { readonly exitCode: number; readonly said: string } {
  let said = '';
  try {
    parseArguments(argv, (text) => {
      said += text;
    });
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: error.exitCode, said };
    throw error;
  }
  throw new Error(`${argv.join(' ')} was taken`);
}

it('measures everything on Kafka, a hundred thousand events in five rounds, when nothing is said', () => {
  const options = parseArguments([]);
  expect(options).toMatchObject({ bus: 'kafka', rounds: 5, events: 100_000, json: undefined });
  expect(idsOf(options)).toEqual(['E', 'P1', 'P2', 'C1', 'C2', 'L', 'M']);
});

it('takes what is asked for, cells in their own order', () => {
  const options = parseArguments(
    '--bus kafka --cells c1,P1 --rounds 7 --events 2000 --json out.json'.split(' '),
  );
  expect(options).toMatchObject({ bus: 'kafka', rounds: 7, events: 2_000, json: 'out.json' });
  expect(idsOf(options)).toEqual(['P1', 'C1']);
});

it('measures core alone where there is no broker', () => {
  expect(idsOf(parseArguments(['--bus', 'memory']))).toEqual(['E']);
  expect(refusal('--bus', 'memory', '--cells', 'E,P1').said).toMatch('P1 needs a broker');
});

it.each([
  [['--bus', 'pigeon'], "'pigeon' is invalid"],
  [['--cells', 'P1,X9'], 'no cell "X9", only E, P1, P2'],
  [['--cells', ''], 'no cell ""'],
  [['--rounds', '0'], 'a whole number from 1 to 1000'],
  [['--rounds', '2.5'], 'a whole number'],
  [['--events', '1e5'], 'a whole number'],
  [['--evnets', '5'], 'Did you mean --events?'],
  [['P1'], 'too many arguments'],
])('refuses %j', (argv, message) => {
  const { exitCode, said } = refusal(...argv);
  expect(exitCode).not.toBe(0);
  expect(said).toMatch(message);
});

it('explains itself, cell by cell', () => {
  const { exitCode, said } = refusal('--help');
  expect(exitCode).toBe(0);
  for (const text of ['--bus', '--cells', '--rounds', '--events', '--json', 'P2  publish single events'])
    expect(said).toContain(text);
});

import { UsageError } from './cli-options.js';
import { MissingPackageError } from './load-package.js';

/** Exit codes of the kit's programs. */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** A program of the kit. */
export interface Program<Options> {
  /** How it is called to learn more. */
  readonly helpCommand: string;
  readonly help: string;
  /** Throws `UsageError`. */
  read(args: readonly string[]): Options | 'help';
  /** Resolves to the exit code. */
  run(options: Options, interrupts: Interrupts): Promise<number>;
}

/** What happens when the user presses Ctrl-C, or the process is told to end. */
export interface Interrupts {
  /** Takes the place of what was set before. The program ends with 130 when it has resolved; without it, at once. */
  onInterrupt(end: () => Promise<unknown> | unknown): void;
}

/** Runs it and ends the process, with an exit code and a message for whoever called it. */
export function runProgram<Options>(program: Program<Options>): void {
  // What a test left behind may keep the event loop busy: the answer is known, so the process ends.
  void exitCodeOf(program).then((code) => process.exit(code));
}

/** A line for the user, beside what the program writes. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function exitCodeOf<Options>(program: Program<Options>): Promise<number> {
  try {
    const options = program.read(process.argv.slice(2));
    if (options !== 'help') return await program.run(options, listenForInterrupts());
    process.stdout.write(program.help);
    return EXIT_OK;
  } catch (error) {
    if (error instanceof UsageError || error instanceof MissingPackageError) {
      tell(`${error.message}\n\n${program.helpCommand} tells more.`);
      return EXIT_USAGE;
    }
    tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return EXIT_FAILED;
  }
}

function listenForInterrupts(): Interrupts {
  let end: () => Promise<unknown> | unknown = () => undefined;
  const interrupted = (): void => {
    // Whoever asks twice does not want to wait for the clean-up.
    process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED));
    tell('interrupted: cleaning up');
    void Promise.resolve()
      .then(() => end())
      .finally(() => process.exit(EXIT_INTERRUPTED));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  return {
    onInterrupt: (what) => {
      end = what;
    },
  };
}

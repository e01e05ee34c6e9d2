import { AREAS } from './catalogue.js';
import { GREEN, GREY, inColour, RED } from './colours.js';
import type { PlannedCase } from './plan.js';
import { titleOf } from './registry.js';
import type { ConformanceReport, IdStatus } from './report.js';
import type { ConformanceRun } from './run.js';

/** Where lines go, and whether they may be coloured. */
export interface Console {
  write(text: string): void;
  readonly colours: boolean;
}

/** How a run on the console ended. */
export interface ConsoleResult {
  readonly report: ConformanceReport;
  readonly failed: number;
  readonly interrupted: boolean;
}

/** The runner of the command line: one case after the other, a line each. */
export class ConsoleRunner {
  readonly #run: ConformanceRun;
  readonly #console: Console;
  #failed = 0;
  #interrupted = false;
  #interrupt: (() => void) | undefined;

  constructor(run: ConformanceRun, console: Console) {
    this.#run = run;
    this.#console = console;
  }

  /** Lets the running case be abandoned, cleans up, and ends. */
  stop(): void {
    this.#interrupted = true;
    this.#interrupt?.();
  }

  async run(): Promise<ConsoleResult> {
    const interrupted = new Promise<'interrupted'>((resolve) => {
      this.#interrupt = () => resolve('interrupted');
    });
    this.#line(`conformance of ${this.#run.subject.name}`);
    await this.#run.start();
    for (const { area, cases } of this.#run.plan.areas) {
      this.#line(`\n${area} ${AREAS.find((a) => a.name === area)?.title ?? ''}`);
      for (const planned of cases) await this.#one(planned, interrupted);
    }
    for (const planned of this.#run.plan.last) await this.#one(planned, interrupted);
    const report = await this.#run.finish();
    if (!this.#interrupted) this.#summary(report);
    return { report, failed: this.#failed, interrupted: this.#interrupted };
  }

  async #one(planned: PlannedCase, interrupted: Promise<'interrupted'>): Promise<void> {
    if (this.#interrupted) return;
    if (planned.kind === 'n/a' || planned.kind === 'not-run') {
      this.#line(this.#paint(`  ${planned.kind.padEnd(7)} ${titleOf(planned.of)}: ${planned.reason}`, GREY));
      return;
    }
    const startedAtMs = performance.now();
    const running = this.#run.runCase(planned).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const ended = await Promise.race([running, interrupted]);
    if (ended === 'interrupted') {
      await this.#run.abandon();
      return;
    }
    const took = this.#paint(`${Math.round(performance.now() - startedAtMs)} ms`, GREY);
    if (!ended) this.#line(`  ${this.#paint('pass   ', GREEN)} ${titleOf(planned.of)}  ${took}`);
    else {
      this.#failed += 1;
      this.#line(`  ${this.#paint('FAIL   ', RED)} ${titleOf(planned.of)}  ${took}`);
      this.#line(
        indented(
          ended.error instanceof Error ? (ended.error.stack ?? ended.error.message) : String(ended.error),
        ),
      );
    }
  }

  #summary(report: ConformanceReport): void {
    const count = (status: IdStatus): number =>
      Object.values(report.ids).filter((one) => one.status === status).length;
    this.#line(`\n${report.bus} on ${report.broker.name} ${report.broker.version}, Node ${report.node}`);
    this.#line(
      `${count('pass')} pass, ${count('fail')} fail, ${count('n/a')} not applicable, ${count('not-run')} not run, of ${Object.keys(report.ids).length} ids`,
    );
    const missing = this.#run.notRun();
    for (const { id, reason } of missing)
      this.#line(this.#paint(`  ${id} is claimed and was not run: ${reason}`, RED));
    this.#failed += missing.length;
  }

  #line(text: string): void {
    this.#console.write(`${text}\n`);
  }

  #paint(text: string, colour: number): string {
    return this.#console.colours ? inColour(text, colour) : text;
  }
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `          ${line}`)
    .join('\n');
}

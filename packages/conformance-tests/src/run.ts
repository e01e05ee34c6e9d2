import { CATALOGUE } from './catalogue.js';
import { CaseContext } from './context.js';
import { createNamespaces, type Namespaces } from './namespace.js';
import { makePlan, type Plan, type PlannedCase, type Selector, selectIds } from './plan.js';
import { within } from './poll.js';
import { NotRunError, type Requirement, type Suite } from './registry.js';
import { type ConformanceReport, ReportBuilder } from './report.js';
import { StrayErrors } from './stray-errors.js';
import { brokerInfoOf, type ConformanceSubject } from './subject.js';

/** Options of a run. */
export interface RunOptions {
  /** Which ids to run. @default all that the kit has tests for */
  readonly only?: readonly Selector[];
  /**
   * Which ids the bus claims: one of them that is not run fails the run. @default the ids that are run
   */
  readonly claims?: readonly Selector[];
  /** Tests that last for minutes last as long as the catalogue says, and judge what shows only then. @default false */
  readonly long?: boolean;
}

/** How long a case may take when it does not say. */
export const CASE_TIMEOUT_MS = 30_000;
/** On top of its own time, for what it leaves behind. */
export const CLEAN_UP_TIMEOUT_MS = 30_000;

/** One run of the suite against one subject: shared by the injected runner and the command line. */
export class ConformanceRun {
  readonly subject: ConformanceSubject;
  readonly plan: Plan;
  readonly #claimed: ReadonlySet<string>;
  readonly #selected: ReadonlySet<string>;
  readonly #namespaces: Namespaces = createNamespaces();
  readonly #report = new ReportBuilder();
  readonly #stray = new StrayErrors();
  readonly #executed = new Set<Requirement>();
  readonly #complete: boolean;
  readonly #long: boolean;
  #current: CaseContext | undefined;

  constructor(subject: ConformanceSubject, suites: readonly Suite[], options: RunOptions = {}) {
    this.subject = subject;
    const written = new Set(suites.flatMap(({ cases }) => cases.map((one) => one.id)));
    const selected = options.only ? selectIds(options.only) : written;
    this.#claimed = options.claims ? selectIds(options.claims) : selected;
    this.#selected = selected;
    this.#long = options.long ?? false;
    this.#complete = [...written].every((id) => selected.has(id));
    this.plan = makePlan(subject, suites, selected);
    for (const { id } of CATALOGUE) {
      if (!selected.has(id) && written.has(id))
        this.#report.add(id, { status: 'not-run', reason: 'not selected', ms: 0 });
    }
    for (const planned of [...this.plan.areas.flatMap((area) => area.cases), ...this.plan.last]) {
      if (planned.kind === 'n/a' || planned.kind === 'not-run') {
        this.#report.add(planned.of.id, { status: planned.kind, reason: planned.reason, ms: 0 });
      }
    }
  }

  /** Before the first case. */
  async start(): Promise<void> {
    this.#stray.watch();
    await this.subject.setup?.();
  }

  /** Runs one case that is to be run, records how it ended, and rejects when it failed. */
  async runCase(planned: PlannedCase & { kind: 'run' | 'inverted' }): Promise<void> {
    const { of } = planned;
    const startedAtMs = performance.now();
    const findings = {
      unhandledRejections: this.#stray.all,
      executed: this.#executed,
      complete: this.#complete,
    };
    const context = new CaseContext(of.id, this.subject, this.#namespaces, findings, this.#long);
    this.#current = context;
    let failure: { readonly error: unknown } | undefined;
    try {
      const body = planned.kind === 'run' ? of.run : of.otherwise;
      if (body) {
        const work = this.#stray.during(body.call(of, context));
        await within(`${of.id} to end`, work, of.timeoutMs ?? CASE_TIMEOUT_MS);
      }
    } catch (error) {
      failure = { error };
    }
    const told = context.statuses.end();
    const ms = performance.now() - startedAtMs;
    const problems = await within(`${of.id} to be cleaned up`, context.cleanUp(), CLEAN_UP_TIMEOUT_MS).catch(
      (e: unknown) => [e],
    );
    if (!failure && problems.length > 0)
      failure = {
        error: new AggregateError(problems, `could not clean up: ${problems.map(String).join('; ')}`),
      };
    if (failure?.error instanceof NotRunError) {
      this.#report.add(of.id, { status: 'not-run', reason: failure.error.message, ms });
      return;
    }
    if (planned.kind === 'run') for (const one of of.requires ?? []) this.#executed.add(one);
    const note = context.notes;
    if (failure) this.#report.add(of.id, { status: 'fail', reason: textOf(failure.error), ms });
    else if (planned.kind === 'run')
      this.#report.add(of.id, { status: 'pass', ms, ...(note === undefined ? {} : { note }) });
    else this.#report.add(of.id, { status: 'n/a', reason: planned.reason, ms });
    if (failure) throw withNote(failure.error, told);
  }

  /** Cleans up after the case that runs now, without waiting for it: for whoever ends the run early. */
  async abandon(): Promise<void> {
    await this.#current?.cleanUp();
  }

  /** Claimed ids that were not run, with the reason. Any of them fails the run. */
  notRun(): readonly { readonly id: string; readonly reason: string }[] {
    return CATALOGUE.filter(({ id }) => this.#claimed.has(id))
      .map(({ id }) => ({ id, result: this.#report.resultOf(id) }))
      .filter(({ result }) => result.status === 'not-run')
      .map(({ id, result }) => ({ id, reason: result.reason ?? 'no reason given' }));
  }

  /** Whether an id belongs to this run. */
  isSelected(id: string): boolean {
    return this.#selected.has(id);
  }

  /** After the last case. */
  async finish(): Promise<ConformanceReport> {
    try {
      const info = (await brokerInfoOf(this.subject)) ?? { name: 'unknown', version: 'unknown' };
      return this.#report.build(this.subject.name, info);
    } finally {
      this.#stray.unwatch();
      await this.subject.teardown?.();
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The error itself, so that nothing a runner shows of it is lost, with more to read below its message. */
function withNote(error: unknown, note: string): unknown {
  if (!(error instanceof Error)) return error;
  error.message = `${error.message}\n${note}`;
  error.stack = `${error.stack ?? ''}\n${note}`;
  return error;
}

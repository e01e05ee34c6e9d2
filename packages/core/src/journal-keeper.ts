import { formatJournal, type JournalDocument, serialFrom } from './journal.js';

/** The journal of one owned partition: changes it, and stores it with at most one save under way. */
export class JournalKeeper {
  private opener: string | undefined;
  private intent: JournalDocument['intent'];
  private previous: JournalDocument['previous'];
  private failures = new Map<string, number>();
  private deaths = new Map<string, number>();
  private anonymousDeaths = 0;
  private suspects = 0;
  private cached: string | undefined;
  private saving: Promise<void> | undefined;

  constructor(
    private readonly store: (journal: string) => Promise<void>,
    private readonly maxAttempts: number,
  ) {}

  load(journal: JournalDocument): void {
    this.opener = journal.opener;
    this.intent = journal.intent;
    this.previous = journal.previous;
    this.failures = new Map(journal.failures);
    this.deaths = new Map(journal.deaths);
    this.anonymousDeaths = journal.anonymousDeaths;
    this.suspects = journal.suspects;
    this.cached = undefined;
  }

  /** Events that may have killed the former owner must run alone, their intent written down first. */
  get serial(): boolean {
    return this.suspects > 0 && this.anonymousDeaths >= serialFrom(this.maxAttempts);
  }

  /** Something was running here when a former owner died. */
  get suspicious(): boolean {
    return this.suspects > 0;
  }

  /** Attempts that an event has used up in former lives. */
  attemptsOf(position: string): { readonly failures: number; readonly deaths: number } {
    return { failures: this.failures.get(position) ?? 0, deaths: this.deaths.get(position) ?? 0 };
  }

  open(opener: string): void {
    this.opener = opener;
    this.cached = undefined;
  }

  /** A clean hand-over: nobody to be blamed. */
  close(): void {
    this.opener = undefined;
    this.intent = undefined;
    this.cached = undefined;
  }

  setIntent(position: string, sequence: number): void {
    this.intent = { position, sequence };
    this.cached = undefined;
  }

  /** Something may be running here that nobody wrote down: none is to blame more than another. */
  withdrawIntent(): void {
    this.intent = undefined;
    this.cached = undefined;
  }

  /** Whether this is still the newest intent: a hand-over takes it back. */
  intends(sequence: number): boolean {
    return this.intent?.sequence === sequence;
  }

  setFailures(position: string, count: number): void {
    this.failures.set(position, count);
    this.attemptEnded(position);
    this.cached = undefined;
  }

  /** The event needs no count any more. */
  forget(position: string): void {
    this.attemptEnded(position);
    // So it is for nearly every event: nothing is looked up for it then.
    if (this.failures.size === 0 && this.deaths.size === 0) return;
    const known = this.failures.delete(position);
    if (this.deaths.delete(position) || known) this.cached = undefined;
  }

  /** The watermark moved by `count` events. `pastSuspects`: to one that came after the death. */
  advance(count: number, pastSuspects: boolean): void {
    if (this.suspects === 0 || count === 0) return;
    this.suspects = pastSuspects ? 0 : Math.max(0, this.suspects - count);
    if (this.suspects === 0) this.anonymousDeaths = 0;
    this.cached = undefined;
  }

  text(): string {
    this.cached ??= formatJournal(this.document());
    return this.cached;
  }

  /** Resolves when the journal as it stands now is stored. Calls made while a save is under way share the one behind it. */
  save(): Promise<void> {
    if (!this.saving) return this.begin();
    // Whoever comes first begins the next save, and the others find it.
    const next = (): Promise<void> => this.saving ?? this.begin();
    return this.saving.then(next, next);
  }

  /** Whoever dies now does not die of this event. The sequence stays: it tells that older intents are over too. */
  private attemptEnded(position: string): void {
    if (this.intent?.position !== position) return;
    this.intent = { position: undefined, sequence: this.intent.sequence };
    this.cached = undefined;
  }

  private document(): JournalDocument {
    const { opener, intent, previous, failures, deaths, anonymousDeaths, suspects } = this;
    return {
      ...(opener === undefined ? {} : { opener }),
      ...(intent === undefined ? {} : { intent }),
      ...(previous === undefined ? {} : { previous }),
      failures,
      deaths,
      anonymousDeaths,
      suspects,
    };
  }

  private begin(): Promise<void> {
    this.saving = this.store(this.text()).finally(() => {
      this.saving = undefined;
    });
    return this.saving;
  }
}

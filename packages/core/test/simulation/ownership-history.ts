import { HEADER } from '../../src/headers.js';
import { parseJournal } from '../../src/journal.js';
import type { InboundRecord, OutboundRecord } from '../../src/transport.js';
import { Entry, type Failure, type Run } from './entry.js';
import type { Fate } from './fate.js';
import type { Model, Running } from './model.js';
import type { Life } from './time.js';

/** Whose history it is. */
export interface OwnershipFacts {
  readonly group: string;
  readonly partition: number;
  readonly life: Life;
  /** The process, for the story. */
  readonly processName: string;
  readonly isOwned: boolean;
}

type Phase = 'new' | 'opening' | 'open' | 'moving' | 'held' | 'resuming' | 'over';

/** What one ownership of a partition may do, and did. */
export class OwnershipHistory {
  private phase: Phase = 'new';
  private readonly entries: Entry[] = [];
  /** Failed attempts that are not noted at the broker. */
  private readonly failures = new Set<Failure>();
  /** Failed attempts by position, as the journal told last. */
  private written: ReadonlyMap<string, number> = new Map();
  private watermark = -1;
  private lastIntent = 0;
  private lastJournal: string | undefined;

  constructor(
    private readonly model: Model,
    private readonly ownership: OwnershipFacts,
  ) {
    model.remember(this);
    this.tell('owned');
  }

  get life(): Life {
    return this.ownership.life;
  }

  opening(): void {
    this.phase = 'opening';
  }

  resuming(): void {
    if (this.phase === 'held') this.phase = 'resuming';
  }

  handingOver(): void {
    this.tell('is handed over');
    if (this.phase !== 'over') this.phase = 'moving';
  }

  handedOver(): void {
    this.tell('was handed over');
    if (this.phase !== 'over') this.phase = 'held';
    this.model.count('hand-over');
    if (!this.entries.some(({ toCome }) => toCome)) return;
    this.model.count('hand-over timed out');
    this.model.endedUncleanly(`${this.group} ${this.partition}`);
  }

  /** Another process may own it from now on; this one does not know. */
  seized(): void {
    this.tell('was taken away');
    this.model.count('partition taken away');
    this.interrupted();
  }

  interrupted(): void {
    if (this.phase === 'over') return;
    // A hand-over that waited long enough says "clean" while a handler still runs: a death after it goes unseen.
    if (this.phase === 'moving') this.model.endedUncleanly(`${this.group} ${this.partition}`);
    this.phase = 'over';
    this.model.endedUncleanly(`${this.group} ${this.partition}`);
    this.giveUpRuns();
  }

  ended(): void {
    this.tell('is over');
    this.phase = 'over';
    this.giveUpRuns();
    this.model.forget(this);
  }

  delivered(records: readonly InboundRecord[]): void {
    for (const { position, key } of records)
      this.entries.push(
        new Entry(Number(position), key ?? '', this.fateOf(Number(position)), this.model.terms.handlers),
      );
  }

  /** The engine says that these are settled. */
  told(records: readonly InboundRecord[], watermark: InboundRecord | undefined): void {
    // Too late to count.
    if (this.phase === 'over') return;
    for (const { position } of records) {
      const entry = this.entryOf(Number(position));
      if (!entry?.isDone || entry.isTold) this.violated(`settled ${position}, which is not done, or again`);
      if (entry) entry.isTold = true;
    }
    const upTo = watermark === undefined ? -1 : Number(watermark.position);
    if (upTo < this.watermark) this.violated(`the watermark went back to ${upTo}`);
    this.watermark = upTo;
    if (this.entries.some(({ position, isDone }) => position <= upTo && !isDone))
      this.violated(`the watermark ${upTo} is past an event that is not done`);
  }

  /** A death may be laid on an event whose start was written down, also when it came before the start. */
  noting(journal: string): void {
    if (journal === this.lastJournal) return;
    this.lastJournal = journal;
    const { intent, failures } = parseJournal(journal);
    for (const failure of this.failures) {
      const position = String(failure.entry.position);
      failure.isWritten ||= (failures.get(position) ?? 0) > (this.written.get(position) ?? 0);
    }
    this.written = failures;
    if (intent?.position === undefined || intent.sequence === this.lastIntent) return;
    this.lastIntent = intent.sequence;
    const entry = this.entryOf(Number(intent.position));
    if (entry) entry.isAnnounced = true;
  }

  /** A journal could not be stored: what is noted in it may start all the same. */
  notNoted(): void {
    for (const failure of this.failures) failure.isExcused = true;
  }

  /** What leaves for the broker now; the result is called when it is stored there. */
  storing(): () => void {
    const noted = [...this.failures].filter(({ isWritten }) => isWritten);
    const told = this.entries.filter(({ isTold, isDurable }) => isTold && !isDurable);
    const { phase } = this;
    return () => {
      for (const failure of noted) if (this.failures.delete(failure)) failure.entry.fate.noted += 1;
      for (const entry of told) entry.isDurable = true;
      // The name of the owner is in the journal: from now on handlers may start.
      if ((phase === 'opening' || phase === 'resuming') && this.phase === phase) this.phase = 'open';
    };
  }

  started(position: number, handler: number): Run {
    const entry = this.entryOf(position);
    if (!entry) {
      this.violated(`${position} was handled and not delivered`);
      return { succeeded: nothing, failed: nothing, aborted: nothing };
    }
    this.tell(`handler ${handler} of ${position} starts (key ${entry.key})`);
    if (!entry.toCome) this.attemptStarts(entry);
    if (entry.toCome?.shift() !== handler) this.violated(`handler ${handler} of ${position} is not its turn`);
    if (!this.ownership.isOwned) this.violated(`${position} was started after the partition was lost`);
    return this.run(entry, handler);
  }

  /** The engine writes a dead letter. */
  givingUp(
    source: InboundRecord,
    letter: OutboundRecord,
  ): { readonly written: () => void; readonly confirmed: () => void } {
    const position = Number(source.position);
    const reason = String(letter.headers[HEADER.dlqReason]);
    this.tell(`${position} is given up: ${reason}`);
    this.model.count(`given up: ${reason}`);
    const entry = this.entryOf(position);
    if (!entry || entry.isDone || entry.toCome || this.headOf(entry.key) !== entry)
      this.violated(`${position} was given up out of turn`);
    else if (!this.mayGiveUp(entry, reason)) this.violated(`${position} was given up for ${reason}`);
    if (letter.value !== source.value) this.violated(`the dead letter of ${position} has other bytes`);
    return {
      written: () => {
        if (!entry) return;
        entry.fate.isCompleted = true;
        entry.fate.letters += 1;
      },
      confirmed: () => {
        if (entry) this.done(entry);
      },
    };
  }

  private attemptStarts(entry: Entry): void {
    const { model } = this;
    const { terms } = model;
    const { position, key, fate } = entry;
    entry.isAnnounced = false;
    entry.toCome = [...entry.unfinished];
    entry.failed = [];
    entry.attempts += 1;
    model.count(entry.attempts === 1 ? 'attempt' : 'retry');
    entry.wasStarted = true;
    fate.attempts += 1;
    if (this.phase !== 'open') this.violated(`${position} was started while the partition is ${this.phase}`);
    if (this.headOf(key) !== entry) this.violated(`${position} overtook another of key ${key}`);
    for (const earlier of model.positionsOf(this.partition, key))
      if (earlier < position && !this.fateOf(earlier).isCompleted)
        this.violated(`${position} was started before ${earlier} of key ${key} was done`);
    if (entry.attempts > 1 && entry.isFirstFailureFatal)
      this.violated(`${position} was tried again after a final failure`);
    for (const failure of this.failures)
      if (failure.entry === entry && !failure.isExcused)
        this.violated(`${position} was tried again before its failure was noted`);
    if (entry.attempts > terms.maxAttempts || fate.noted >= terms.maxAttempts)
      this.violated(`${position} has more than ${terms.maxAttempts} attempts`);
    if (this.entries.filter((each) => each.wasStarted && !each.isDurable).length > terms.maxInFlight)
      this.violated(`more than ${terms.maxInFlight} in flight`);
  }

  private run(entry: Entry, handler: number): Run {
    const { model, life } = this;
    const running: Running = { group: this.group, key: entry.key, life };
    for (const other of model.running)
      if (other.group === this.group && other.key === entry.key)
        this.violated(`two handlers of key ${entry.key} at once`);
    model.running.add(running);
    const busy = [...model.running].filter((each) => each.life === life).length;
    if (busy > model.terms.concurrency) this.violated(`${busy} handlers at once`);
    const end = (isFailed: boolean, isFatal: boolean): void => {
      if (!model.running.delete(running)) return;
      this.tell(`handler ${handler} of ${entry.position} ${isFailed ? 'failed' : 'succeeded'}`);
      this.handlerEnded(entry, handler, isFailed, isFatal);
    };
    return {
      succeeded: () => end(false, false),
      failed: (isFatal) => end(true, isFatal),
      aborted: (isTimeout) => {
        if (isTimeout && model.running.has(running)) model.count('handler timed out');
        if (isTimeout) end(true, false);
        else model.running.delete(running);
      },
    };
  }

  private handlerEnded(entry: Entry, handler: number, isFailed: boolean, isFatal: boolean): void {
    if (isFailed) {
      if (entry.failed.length === 0) entry.isFirstFailureFatal = isFatal;
      entry.failed.push(handler);
    }
    if (entry.toCome?.length !== 0) return;
    entry.toCome = undefined;
    entry.unfinished = entry.failed;
    if (entry.failed.length === 0) {
      entry.fate.isCompleted = true;
      this.done(entry);
    } else {
      this.failures.add({ entry, isWritten: false, isExcused: false });
    }
  }

  private done(entry: Entry): void {
    entry.isDone = true;
    for (const failure of this.failures) if (failure.entry === entry) this.failures.delete(failure);
    if (this.phase !== 'over') entry.fate.noted = 0;
  }

  private mayGiveUp({ fate, attempts, isFirstFailureFatal, failed }: Entry, reason: string): boolean {
    if (reason === 'non_retryable') return isFirstFailureFatal && failed.length > 0;
    if (reason === 'max_retries_exceeded') {
      // With the first death that is laid on an event come those before it that were laid on nobody.
      const inherited = fate.interrupted > 0 ? this.model.uncleanEnds(`${this.group} ${this.partition}`) : 0;
      return fate.attempts + inherited >= this.model.terms.maxAttempts;
    }
    if (reason === 'crash') return fate.interrupted > 0;
    return reason === 'deserialization_error' && attempts === 0;
  }

  private giveUpRuns(): void {
    for (const entry of this.entries) {
      if (!entry.toCome && !entry.isAnnounced) continue;
      this.model.count('attempt interrupted');
      entry.toCome = undefined;
      entry.isAnnounced = false;
      entry.fate.interrupted += 1;
    }
    // The broker does not know that these ended.
    for (const { entry } of this.failures) entry.fate.interrupted += 1;
    for (const { isDone, isDurable, fate } of this.entries) if (isDone && !isDurable) fate.interrupted += 1;
    for (const running of this.model.running)
      if (running.life === this.life && this.entries.some(({ key }) => key === running.key))
        this.model.running.delete(running);
  }

  private headOf(key: string): Entry | undefined {
    return this.entries.find((entry) => entry.key === key && !entry.isDone);
  }

  private entryOf(position: number): Entry | undefined {
    return this.entries.find((entry) => entry.position === position);
  }

  private fateOf(position: number): Fate {
    return this.model.fateOf(this.group, this.partition, position);
  }

  private get group(): string {
    return this.ownership.group;
  }

  private get partition(): number {
    return this.ownership.partition;
  }

  private violated(what: string): void {
    this.model.violated(`${this.name}: ${what}`);
  }

  private tell(what: string): void {
    this.model.tell(`${this.name} ${what}`);
  }

  private get name(): string {
    return `${this.ownership.processName} ${this.group}/${this.partition}`;
  }
}

function nothing(): void {}

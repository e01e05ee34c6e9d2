/**
 * The crash journal: a small document per partition and group, stored by the adapter, that makes attempts survive the
 * process. It answers two questions when a partition changes hands. Did the former owner die (it left its name) or hand
 * over (it removed it)? And if it died, which event was it handling?
 *
 * An ordinary death says little: dozens of events were being handled, one of them perhaps to blame. So deaths are first
 * counted **anonymously** for the partition. Only when two more deaths would use up the attempts (`maxAttempts - 2`) do
 * the suspects run one at a time, each with its name written down before (the **intent**). A death then names exactly
 * one event. That keeps an ordinary kill cheap, and no innocent event is dead-lettered for its neighbour.
 */
export interface JournalDocument {
  /** Who opened the partition; absent after a clean hand-over. */
  readonly opener?: string;
  /**
   * The event that was about to be handled alone, and the process-wide sequence of that note. No position: that attempt
   * has ended since, and nothing was started.
   */
  readonly intent?: { readonly position: string | undefined; readonly sequence: number };
  /** The newest intent of the owner before this one: lets others see that a staler intent of it elsewhere is not to blame. */
  readonly previous?: { readonly opener: string; readonly sequence: number };
  /** Attempts that failed in the ordinary way, by position. */
  readonly failures: ReadonlyMap<string, number>;
  /** Deaths counted for one event. */
  readonly deaths: ReadonlyMap<string, number>;
  /** Deaths that could not be laid on one event. */
  readonly anonymousDeaths: number;
  /** How many events from the watermark on may have been running at the last death. */
  readonly suspects: number;
}

/** A journal that says nothing. */
export const EMPTY_JOURNAL: JournalDocument = {
  failures: new Map(),
  deaths: new Map(),
  anonymousDeaths: 0,
  suspects: 0,
};

/** Kafka takes 4,096 bytes of commit metadata, the smallest room of all brokers. */
const MAX_JOURNAL_BYTES = 4_000;
/** What is longer was written by nobody who keeps to that, and is not parsed. */
const MAX_STORED_LENGTH = 65_536;

interface StoredJournal {
  o?: string | undefined;
  i?: string | undefined;
  q?: number;
  l?: [string, number];
  a?: Record<string, number>;
  c?: Record<string, number>;
  d?: number;
  u?: number;
}

/** Reads what is stored. Anything else than a journal (another client's metadata) reads as empty. */
export function parseJournal(text: string | undefined): JournalDocument {
  if (!text?.startsWith('{') || text.length > MAX_STORED_LENGTH) return EMPTY_JOURNAL;
  let stored: StoredJournal;
  try {
    stored = JSON.parse(text) as StoredJournal;
  } catch {
    return EMPTY_JOURNAL;
  }
  const { o, i, q, l } = stored;
  return {
    ...(typeof o === 'string' ? { opener: o } : {}),
    ...(typeof q === 'number'
      ? { intent: { position: typeof i === 'string' ? i : undefined, sequence: q } }
      : {}),
    ...(Array.isArray(l) && typeof l[0] === 'string' && typeof l[1] === 'number'
      ? { previous: { opener: l[0], sequence: l[1] } }
      : {}),
    failures: countsOf(stored.a),
    deaths: countsOf(stored.c),
    anonymousDeaths: countOf(stored.d),
    suspects: countOf(stored.u),
  };
}

/** The text to store, at most 4,000 bytes: the newest failure counts are left out when they do not fit. */
export function formatJournal(journal: JournalDocument): string {
  let failures = [...journal.failures];
  for (;;) {
    const stored: StoredJournal = {};
    stored.o = journal.opener;
    if (journal.intent) {
      stored.i = journal.intent.position;
      stored.q = journal.intent.sequence;
    }
    if (journal.previous) stored.l = [journal.previous.opener, journal.previous.sequence];
    if (failures.length > 0) stored.a = Object.fromEntries(failures);
    if (journal.deaths.size > 0) stored.c = Object.fromEntries([...journal.deaths].slice(-20));
    if (journal.anonymousDeaths > 0) stored.d = journal.anonymousDeaths;
    if (journal.suspects > 0) stored.u = journal.suspects;
    const text = JSON.stringify(stored);
    if (Buffer.byteLength(text) <= MAX_JOURNAL_BYTES || failures.length === 0) return text;
    failures = failures.slice(0, Math.floor(failures.length * 0.8));
  }
}

/** Settings that the verdict on a former owner depends on. */
export interface TakeOver {
  readonly partition: number;
  /** Who takes over: an opener of the same name did not die, it lost the partition and got it back. */
  readonly opener: string;
  readonly maxAttempts: number;
  /** How far behind the watermark a handler may have been running. */
  readonly suspectWindow: number;
}

/**
 * From how many anonymous deaths on the suspects run one at a time. Two strikes of an event are its own: a process that
 * was only cut off from the broker looks like one that died, and must not cost whatever it was about to handle all its
 * attempts at once.
 */
export function serialFrom(maxAttempts: number): number {
  return Math.max(1, maxAttempts - 2);
}

/** What the new owner starts with, from the journals of all partitions of the group. Pure. */
export function takeOver(journals: ReadonlyMap<number, JournalDocument>, terms: TakeOver): JournalDocument {
  const former = journals.get(terms.partition) ?? EMPTY_JOURNAL;
  const { opener: dead, intent, previous: _previous, ...counts } = former;
  if (dead === undefined || dead === terms.opener) return { ...counts, opener: terms.opener };
  const newest = newestIntent(journals, dead);
  const base = {
    ...counts,
    opener: terms.opener,
    ...(newest === undefined ? {} : { previous: { opener: dead, sequence: newest } }),
  };
  if (newest === undefined) {
    return {
      ...base,
      anonymousDeaths: Math.min(former.anonymousDeaths + 1, serialFrom(terms.maxAttempts)),
      suspects: terms.suspectWindow,
    };
  }
  if (intent?.sequence !== newest || intent.position === undefined) return base;
  const deaths = (former.deaths.get(intent.position) ?? former.anonymousDeaths) + 1;
  return { ...base, deaths: new Map(former.deaths).set(intent.position, deaths) };
}

function newestIntent(journals: ReadonlyMap<number, JournalDocument>, opener: string): number | undefined {
  let newest: number | undefined;
  for (const journal of journals.values()) {
    const sequence =
      journal.opener === opener
        ? journal.intent?.sequence
        : journal.previous?.opener === opener
          ? journal.previous.sequence
          : undefined;
    if (sequence !== undefined && (newest === undefined || sequence > newest)) newest = sequence;
  }
  return newest;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : 0;
}

function countsOf(value: unknown): Map<string, number> {
  const counts = new Map<string, number>();
  if (typeof value !== 'object' || value === null) return counts;
  for (const [position, count] of Object.entries(value))
    if (countOf(count) > 0) counts.set(position, count as number);
  return counts;
}

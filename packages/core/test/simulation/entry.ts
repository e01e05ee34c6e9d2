import type { Fate } from './fate.js';

/** A record that this ownership was given. */
export class Entry {
  isDone = false;
  isTold = false;
  isDurable = false;
  wasStarted = false;
  /** Attempts in this ownership. */
  attempts = 0;
  /** Handlers that have not succeeded. */
  unfinished: readonly number[];
  /** Those of the attempt under way that are still to come; undefined when none is. */
  toCome: number[] | undefined;
  failed: number[] = [];
  isFirstFailureFatal = false;
  /** The journal says that it starts next. */
  isAnnounced = false;

  constructor(
    readonly position: number,
    readonly key: string,
    readonly fate: Fate,
    handlers: number,
  ) {
    this.unfinished = Array.from({ length: handlers }, (_, handler) => handler);
  }
}

/** A failed attempt, until the broker knows of it. */
export interface Failure {
  readonly entry: Entry;
  /** It is in a journal that was given to the adapter. */
  isWritten: boolean;
  /** The journal could not be stored. */
  isExcused: boolean;
}

/** A handler that was started, and how it ends. Only the first of its ends counts. */
export interface Run {
  succeeded(): void;
  failed(isFatal: boolean): void;
  /** Its signal aborted. */
  aborted(isTimeout: boolean): void;
}

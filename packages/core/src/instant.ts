const ZERO = 48;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const MS_PER_DAY = 86_400_000;
const YEAR_1_MS = -62_135_596_800_000;
const YEAR_10000_MS = 253_402_300_800_000;
/** Up to the seconds: `2026-01-02T03:04:05`. */
const SECONDS_LENGTH = 19;
/** The longest text that is read: a fraction of 18 digits and an offset. */
const MAX_LENGTH = 44;

let cachedSecond = Number.NaN;
let cachedText = '';

/**
 * The instant on the wire: `2026-01-02T03:04:05.678000Z`, without a fraction on the full second, as eventsource-py
 * writes it. Undefined outside the years 1 to 9999, which other languages cannot read.
 */
export function instantText(timeMs: number, zone: 'Z' | '+00:00' = 'Z'): string | undefined {
  if (!(timeMs >= YEAR_1_MS && timeMs < YEAR_10000_MS)) return undefined;
  const second = Math.floor(timeMs / 1000);
  // Events come in runs of the same second; formatting it once halves the cost.
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedText = new Date(second * 1000).toISOString().slice(0, SECONDS_LENGTH);
  }
  const ms = timeMs - second * 1000;
  if (ms === 0) return cachedText + zone;
  return `${cachedText}.${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}000${zone}`;
}

/**
 * Milliseconds since the epoch of an RFC 3339 text with seconds, any fraction (what is finer than a millisecond is cut)
 * and an offset: `…Z`, `…+00:00`, `…+0000`. NaN for everything else, a text without an offset included.
 */
export function instantMs(text: string): number {
  const { length } = text;
  if (length <= SECONDS_LENGTH || length > MAX_LENGTH) return Number.NaN;
  if (text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':')
    return Number.NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const fractionEnd = endOfFraction(text);
  const offsetMinutes = offsetAt(text, fractionEnd);
  const inRange =
    year >= 1 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59;
  if (!inRange || day > daysIn(year, month) || fractionEnd === SECONDS_LENGTH + 1) return Number.NaN;
  const ms = millisecondsOf(text, fractionEnd);
  return (
    daysSinceEpoch(year, month, day) * MS_PER_DAY +
    ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 +
    ms
  );
}

/** The same instant in UTC with all its digits, when it is finer than a millisecond. `timeMs` is what `instantMs` says of it. */
export function exactInstant(text: string, timeMs: number): string | undefined {
  const fractionEnd = endOfFraction(text);
  let finer = false;
  for (let index = SECONDS_LENGTH + 4; index < fractionEnd; index++)
    finer ||= text.charCodeAt(index) !== ZERO;
  if (!finer) return undefined;
  if (text.endsWith('Z')) return text;
  const seconds = instantText(Math.floor(timeMs / 1000) * 1000);
  return seconds === undefined
    ? undefined
    : `${seconds.slice(0, SECONDS_LENGTH)}${text.slice(SECONDS_LENGTH, fractionEnd)}Z`;
}

/** NaN when a character is not a digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Behind the last digit of the fraction; `SECONDS_LENGTH` when there is none, one more when it has no digit. */
function endOfFraction(text: string): number {
  if (text[SECONDS_LENGTH] !== '.') return SECONDS_LENGTH;
  let end = SECONDS_LENGTH + 1;
  while (end < text.length && !Number.isNaN(digits(text, end, end + 1))) end++;
  return end;
}

function millisecondsOf(text: string, fractionEnd: number): number {
  const first = SECONDS_LENGTH + 1;
  const count = Math.min(3, fractionEnd - first);
  if (count <= 0) return 0;
  return digits(text, first, first + count) * (count === 3 ? 1 : count === 2 ? 10 : 100);
}

/** Minutes east of UTC; NaN when what stands at `from` is not an offset. */
function offsetAt(text: string, from: number): number {
  const sign = text[from];
  if (sign === 'Z') return text.length === from + 1 ? 0 : Number.NaN;
  if (sign !== '+' && sign !== '-') return Number.NaN;
  const minutesFrom = text[from + 3] === ':' ? from + 4 : from + 3;
  if (text.length !== minutesFrom + 2) return Number.NaN;
  const hours = digits(text, from + 1, from + 3);
  const minutes = digits(text, minutesFrom, minutesFrom + 2);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (hours * 60 + minutes) * (sign === '-' ? -1 : 1);
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const daysBeforeYear =
    before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  return daysBeforeYear + (DAYS_BEFORE_MONTH[month - 1] ?? 0) + leapDay + day - 1 - 719_162;
}

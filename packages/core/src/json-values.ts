import { types } from 'node:util';

import { quoted } from './printable.js';

/**
 * What JSON can carry without changing it, decided before it is written: `JSON.stringify` turns NaN into null, -0 into 0
 * and a Map into `{}`, and drops functions, all without a word.
 */

/** Written by `JSON.stringify` as it is. */
export const PLAIN = 0;
/** Holds -0, or integers that a double may not hold: needs `writeJson`. */
export const EXACT = 1;
/** Cannot be carried; `explain` says what and where. */
export const REFUSED = 2;

/** One of the three. */
export type JsonKind = typeof PLAIN | typeof EXACT | typeof REFUSED;

/** Objects and lists inside each other. */
export const MAX_DEPTH = 100;
/** Values in one event, those inside others included. */
export const MAX_VALUES = 1_000_000;

/** What is wrong with a value, and where. */
export interface JsonProblem {
  /** For example `.items[3].price`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

let valuesLeft = 0;

/** Classifies a value and all that it holds. Looks at each once and allocates next to nothing. */
export function classify(value: unknown): JsonKind {
  valuesLeft = MAX_VALUES;
  return classifyAt(value, 0);
}

function classifyAt(value: unknown, depth: number): JsonKind {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return PLAIN;
    case 'number':
      return classifyNumber(value);
    case 'object':
      return value === null ? PLAIN : classifyObject(value, depth);
    case 'bigint':
      return isWritable(value) ? EXACT : REFUSED;
    default:
      return REFUSED;
  }
}

function classifyNumber(value: number): JsonKind {
  if (value === 0) return 1 / value < 0 ? EXACT : PLAIN;
  if (Number.isSafeInteger(value)) return PLAIN;
  if (!Number.isFinite(value)) return REFUSED;
  return Number.isInteger(value) ? EXACT : PLAIN;
}

function classifyObject(value: object, depth: number): JsonKind {
  if (depth === MAX_DEPTH) return REFUSED;
  if (Array.isArray(value)) return classifyList(value, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return classifyFields(value as Record<string, unknown>, depth);
  return classifyInstance(value, depth);
}

function classifyList(list: readonly unknown[], depth: number): JsonKind {
  valuesLeft -= list.length;
  if (valuesLeft < 0) return REFUSED;
  let kind: JsonKind = PLAIN;
  for (let index = 0; index < list.length; index++) {
    const of = classifyAt(list[index], depth + 1);
    if (of === REFUSED) return REFUSED;
    if (of === EXACT) kind = EXACT;
  }
  return kind;
}

function classifyFields(fields: Readonly<Record<string, unknown>>, depth: number): JsonKind {
  const names = Object.keys(fields);
  valuesLeft -= names.length;
  if (valuesLeft < 0) return REFUSED;
  let kind: JsonKind = PLAIN;
  for (const name of names) {
    if (name === '__proto__') return REFUSED;
    const value = fields[name];
    if (value === undefined) continue;
    const of = classifyAt(value, depth + 1);
    if (of === REFUSED) return REFUSED;
    if (of === EXACT) kind = EXACT;
  }
  return kind;
}

function classifyInstance(value: object, depth: number): JsonKind {
  if (problemOfInstance(value) !== undefined) return REFUSED;
  const replaced = asJson(value);
  return replaced === value
    ? classifyFields(value as Record<string, unknown>, depth)
    : classifyAt(replaced, depth + 1);
}

/** What `JSON.stringify` puts in the place of a value that has `toJSON`. */
function asJson(value: object): unknown {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON.call(value, '') as unknown) : value;
}

/** Instances are written as their own enumerable fields, or as their `toJSON` says. Some have neither to show. */
function problemOfInstance(value: object): string | undefined {
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    return 'bytes are not JSON: encode them as text (base64), or use another codec';
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid Date' : undefined;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  const hasToJson = typeof (value as { readonly toJSON?: unknown }).toJSON === 'function';
  return kind === 'Object' || hasToJson ? undefined : `a ${kind} would be written without its content`;
}

/**
 * Whether a BigInt comes back as one. An integer in JSON is read as a number where a number spells it the same way, else
 * as a BigInt; a BigInt of the first kind would return as a number.
 */
function isWritable(value: bigint): boolean {
  return !spellsItself(String(value));
}

/** Whether the digits are those that a number writes: then the number says the same. */
export function spellsItself(digits: string): boolean {
  return String(Number(digits)) === digits;
}

/** Finds what `classify` refused, and texts that are not well-formed. The slow way, for the message. */
export function explain(value: unknown): JsonProblem | undefined {
  valuesLeft = MAX_VALUES;
  return explainAt(value, '', []);
}

function explainAt(value: unknown, path: string, ancestors: readonly object[]): JsonProblem | undefined {
  const wrong = (message: string): JsonProblem => ({ path, message });
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return isWellFormed(value)
        ? undefined
        : wrong('the text holds half a surrogate pair, which is no character');
    case 'number':
      return Number.isFinite(value) ? undefined : wrong(`${value} is not JSON`);
    case 'bigint':
      return isWritable(value)
        ? undefined
        : wrong(`the BigInt ${value} would come back as a number: pass it as a number or as text`);
    case 'object':
      return value === null ? undefined : explainObject(value, path, ancestors);
    default:
      return wrong(`${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`} is not JSON`);
  }
}

function explainObject(value: object, path: string, ancestors: readonly object[]): JsonProblem | undefined {
  if (ancestors.includes(value)) return { path, message: 'a cycle: the value holds itself' };
  if (ancestors.length === MAX_DEPTH)
    return { path, message: `more than ${MAX_DEPTH} objects or lists inside each other` };
  const instanceProblem = Array.isArray(value) || isPlainObject(value) ? undefined : problemOfInstance(value);
  if (instanceProblem !== undefined) return { path, message: instanceProblem };
  const inner = [...ancestors, value];
  if (Array.isArray(value))
    return explainAll(value.keys(), (index) => explainAt(value[index], `${path}[${index}]`, inner), path);
  const replaced = isPlainObject(value) ? value : asJson(value);
  if (replaced !== value) return explainAt(replaced, path, inner);
  return explainAll(
    Object.keys(value),
    (name) => explainField(value as Record<string, unknown>, name, path, inner),
    path,
  );
}

function explainField(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  path: string,
  ancestors: readonly object[],
): JsonProblem | undefined {
  const at = path + pathOf(name);
  if (name === '__proto__')
    return { path: at, message: 'the name __proto__ is refused: copying it would replace a prototype' };
  if (!isWellFormed(name))
    return { path: at, message: 'the name holds half a surrogate pair, which is no character' };
  return fields[name] === undefined ? undefined : explainAt(fields[name], at, ancestors);
}

function explainAll<K>(
  keys: Iterable<K>,
  explainOne: (key: K) => JsonProblem | undefined,
  path: string,
): JsonProblem | undefined {
  for (const key of keys) {
    if (--valuesLeft < 0) return { path, message: `more than ${MAX_VALUES} values` };
    const problem = explainOne(key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** `.name`, or `["name"]` where that could be misread. */
export function pathOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${quoted(name, 80)}]`;
}

/** An object with fields and nothing behind them: made by `{}`, `JSON.parse` or `Object.create(null)`, in any realm. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** False when the text holds half a surrogate pair: UTF-8 has no bytes for it. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** `JSON.stringify` that keeps -0 and BigInts. Only for what `classify` did not refuse. */
export function writeJson(value: unknown): string | undefined {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  const json = isPlainObject(value) ? value : asJson(value);
  if (json !== value) return writeJson(json);
  const fields: string[] = [];
  for (const [name, field] of Object.entries(value)) {
    const written = writeJson(field);
    if (written !== undefined) fields.push(`${JSON.stringify(name)}:${written}`);
  }
  return `{${fields.join(',')}}`;
}

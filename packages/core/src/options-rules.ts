import { ConfigurationError, type ConfigurationProblem } from './errors.js';
import { nearest } from './nearest-name.js';
import { Secret } from './secret.js';

/** The object that a value stands in, as given: what a default may depend on. */
export type Siblings = Readonly<Record<string, unknown>>;

/** Where a value stands, and how to say what is wrong with it. */
export interface Place {
  readonly path: string;
  readonly siblings: Siblings;
  readonly report: (path: string, message: string) => void;
}

/** Says what one option may be. `resolve` gives the value to use, or reports a problem and gives undefined. */
export interface Rule<T> {
  readonly resolve: (value: unknown, place: Place) => T | undefined;
}

/** One rule for each field of `T`. */
export type RulesFor<T> = { readonly [K in keyof T]-?: Rule<T[K]> };

/** A condition on several options together. Skipped when one of them is wrong by itself. */
export interface CrossCheck<T> {
  /** The options it looks at. A problem is reported at the first. */
  readonly paths: readonly string[];
  /** What is wrong, or undefined. `given` tells whether an option was given at all. */
  readonly check: (options: T, given: (path: string) => boolean) => string | undefined;
}

/** A default: a value, or a function of the options beside it. */
export type Default<T> = T | ((siblings: Siblings) => T);

interface WithDefault<D> {
  readonly default?: Default<D>;
}

/** Bounds of a number, and what it counts. */
export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
  /** For the messages: `ms`, `bytes`, `events`. */
  readonly unit?: string;
}

/** Timers of Node fire at once above this. */
const MAX_TIMER_MS = 2_147_483_647;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Checks `input` against the rules and completes it. The result is a new object, frozen all the way down; functions and
 * instances of classes are kept by reference. Throws one `ConfigurationError` that lists every problem.
 */
export function resolveWith<T extends object>(
  rules: RulesFor<T>,
  input: unknown,
  checks: readonly CrossCheck<T>[] = [],
): Readonly<T> {
  const problems: ConfigurationProblem[] = [];
  const report = (path: string, message: string): void => {
    problems.push({ path, message });
  };
  const options = object(rules).resolve(input, { path: '', siblings: {}, report });
  if (options !== undefined) {
    const wrong = problems.map((problem) => problem.path);
    const given = (path: string): boolean => valueAt(input, path) !== undefined;
    for (const { paths, check } of checks) {
      if (paths.some((path) => wrong.some((other) => isSameOrInside(other, path)))) continue;
      const message = check(options, given);
      if (message !== undefined) report(paths[0] ?? '', message);
    }
  }
  if (options === undefined || problems.length > 0) throw new ConfigurationError(problems);
  return options;
}

/** Text without control characters or line breaks. */
export function text<D extends string | undefined = undefined>(
  spec: WithDefault<D> & {
    readonly allowEmpty?: boolean;
    readonly maxLength?: number;
    readonly pattern?: RegExp;
    readonly what?: string;
  } = {},
): Rule<string | D> {
  return rule(spec.default, (value, wrong) => {
    if (typeof value !== 'string') return wrong(`must be ${spec.what ?? 'text'}, got ${describe(value)}`);
    if (value === '' && spec.allowEmpty !== true)
      return wrong(`must be ${spec.what ?? 'text'}, got an empty text`);
    if (CONTROL_CHARACTERS.test(value)) return wrong('must not contain control characters or line breaks');
    if (spec.maxLength !== undefined && value.length > spec.maxLength) {
      return wrong(`must be at most ${spec.maxLength} characters long, got ${value.length}`);
    }
    if (spec.pattern !== undefined && !spec.pattern.test(value))
      return wrong(`must be ${spec.what ?? `text that matches ${spec.pattern}`}`);
    return value;
  });
}

/** Text (or a `Secret`) that is never printed; resolves to a `Secret`. May hold any characters. */
export function secretText(): Rule<Secret | undefined> {
  return rule<Secret, undefined>(undefined, (value, wrong) => {
    const revealed: unknown = value instanceof Secret ? value.reveal() : value;
    if (typeof revealed !== 'string') return wrong(`must be text or a secret, got ${describe(revealed)}`);
    if (revealed === '') return wrong('must be text or a secret, got an empty text');
    return new Secret(revealed);
  });
}

/** A finite number within bounds. */
export function number<D extends number | undefined = undefined>(
  spec: WithDefault<D> & NumberBounds = {},
): Rule<number | D> {
  return numeric(spec, 'a number', Number.isFinite);
}

/** A whole number within bounds. */
export function integer<D extends number | undefined = undefined>(
  spec: WithDefault<D> & NumberBounds = {},
): Rule<number | D> {
  return numeric(spec, 'a whole number', Number.isSafeInteger);
}

/** A whole number of milliseconds that a timer can hold. */
export function durationMs<D extends number | undefined = undefined>(
  spec: WithDefault<D> & { readonly min?: number; readonly max?: number } = {},
): Rule<number | D> {
  return integer({ min: 0, max: MAX_TIMER_MS, ...spec, unit: 'ms' });
}

/** A whole number of bytes. */
export function bytes<D extends number | undefined = undefined>(
  spec: WithDefault<D> & { readonly min?: number; readonly max?: number } = {},
): Rule<number | D> {
  return integer({ min: 1, ...spec, unit: 'bytes' });
}

/** True or false. */
export function flag<D extends boolean | undefined = undefined>(
  spec: WithDefault<D> = {},
): Rule<boolean | D> {
  return rule(spec.default, (value, wrong) =>
    typeof value === 'boolean' ? value : wrong(`must be true or false, got ${describe(value)}`),
  );
}

/** One of the values listed. */
export function oneOf<const V extends string | number, D extends V | undefined = undefined>(
  values: readonly V[],
  spec: WithDefault<D> = {},
): Rule<V | D> {
  return rule(spec.default, (value, wrong) => {
    const found = values.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const hint = typeof value === 'string' ? nearest(value, values.map(String)) : undefined;
    return wrong(
      `must be one of ${values.map((v) => JSON.stringify(v)).join(', ')}, got ${describe(value)}${hint === undefined ? '' : `; did you mean "${hint}"?`}`,
    );
  });
}

/** A function, or nothing. Kept by reference. */
export function fn<F extends (...args: never[]) => unknown>(): Rule<F | undefined> {
  return matching<F>('a function', (value): value is F => typeof value === 'function');
}

/** An instance of a class, or nothing. Kept by reference. */
export function instance<T>(type: abstract new (...args: never[]) => T): Rule<T | undefined> {
  return matching<T>(`a ${type.name}`, (value): value is T => value instanceof type);
}

/** Whatever `test` accepts. Kept by reference. `what` completes "must be …". */
export function matching<T, D extends T | undefined = undefined>(
  what: string,
  test: (value: unknown) => value is T,
  spec: WithDefault<D> = {},
): Rule<T | D> {
  return rule(spec.default, (value, wrong) =>
    test(value) ? value : wrong(`must be ${what}, got ${describe(value)}`),
  );
}

/** A list whose items keep to one rule. The list is copied and frozen. */
export function listOf<T, D extends readonly T[] | undefined = undefined>(
  item: Rule<T>,
  spec: WithDefault<D> & { readonly min?: number; readonly max?: number } = {},
): Rule<readonly T[] | D> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = spec;
  return {
    resolve: (value, place) => {
      if (value === undefined) return defaultOf(spec.default, place.siblings);
      if (!Array.isArray(value)) return wrongAt(place, `must be a list, got ${describe(value)}`);
      if (value.length < min || value.length > max) {
        return wrongAt(
          place,
          `must have ${max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`} items, got ${value.length}`,
        );
      }
      const items = value.map((entry: unknown, index) => {
        const path = `${place.path}[${index}]`;
        if (entry === undefined) return wrongAt({ ...place, path }, 'must not be undefined');
        return item.resolve(entry, { ...place, path });
      });
      return Object.freeze(items) as readonly T[];
    },
  };
}

/** An object with options of its own. Left out, it is resolved from `{}`; with `optional` it stays undefined. */
export function object<T extends object>(rules: RulesFor<T>): Rule<T>;
export function object<T extends object>(
  rules: RulesFor<T>,
  spec: { readonly optional: true },
): Rule<T | undefined>;
export function object<T extends object>(
  rules: RulesFor<T>,
  spec: { readonly optional?: boolean } = {},
): Rule<T | undefined> {
  const names = Object.keys(rules);
  return {
    resolve: (value, place) => {
      if (value === undefined && spec.optional === true) return undefined;
      const given = value ?? (value === undefined ? {} : value);
      if (!isPlainObject(given))
        return wrongAt(
          { ...place, path: place.path || 'options' },
          `must be an object, got ${describe(value)}`,
        );
      for (const name of Object.keys(given)) {
        if (!names.includes(name)) place.report(inside(place.path, name), unknownName(name, names));
      }
      const complete: Record<string, unknown> = {};
      for (const name of names) {
        complete[name] = rules[name as keyof T].resolve(given[name], {
          path: inside(place.path, name),
          siblings: given,
          report: place.report,
        });
      }
      return Object.freeze(complete) as T;
    },
  };
}

/** Makes an option without a default one that must be given. */
export function required<T>(optional: Rule<T | undefined>): Rule<T> {
  return {
    resolve: (value, place) =>
      value === undefined ? wrongAt(place, 'must be given') : optional.resolve(value, place),
  };
}

function rule<T, D>(
  fallback: Default<D> | undefined,
  accept: (value: unknown, wrong: (message: string) => undefined) => T | undefined,
): Rule<T | D> {
  return {
    resolve: (value, place) =>
      value === undefined
        ? defaultOf(fallback, place.siblings)
        : accept(value, (message) => wrongAt(place, message)),
  };
}

function numeric<D extends number | undefined>(
  spec: WithDefault<D> & NumberBounds,
  what: string,
  isKind: (value: unknown) => boolean,
): Rule<number | D> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec;
  return rule(spec.default, (value, wrong) => {
    if (typeof value === 'number' && isKind(value) && value >= min && value <= max) return value;
    return wrong(`must be ${what}${range(min, max, spec.unit)}, got ${describe(value)}`);
  });
}

function range(min: number, max: number, unit: string | undefined): string {
  const suffix = unit === undefined ? '' : ` ${unit}`;
  if (Number.isFinite(min) && Number.isFinite(max)) return ` from ${min} to ${max}${suffix}`;
  if (Number.isFinite(min)) return ` of at least ${min}${suffix}`;
  if (Number.isFinite(max)) return ` of at most ${max}${suffix}`;
  return suffix && ` of${suffix}`;
}

function defaultOf<D>(fallback: Default<D> | undefined, siblings: Siblings): D | undefined {
  return typeof fallback === 'function' ? (fallback as (siblings: Siblings) => D)(siblings) : fallback;
}

function wrongAt(place: Place, message: string): undefined {
  place.report(place.path, message);
  return undefined;
}

function unknownName(name: string, names: readonly string[]): string {
  const hint = nearest(name, names);
  return hint === undefined
    ? `is not an option; there are ${names.join(', ')}`
    : `is not an option; did you mean "${hint}"?`;
}

/** Texts are named by kind only: a secret put in the wrong place must not end in a log. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function inside(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function isSameOrInside(problem: string, path: string): boolean {
  return (
    problem === path ||
    problem.startsWith(`${path}.`) ||
    problem.startsWith(`${path}[`) ||
    path.startsWith(`${problem}.`)
  );
}

function valueAt(input: unknown, path: string): unknown {
  let value = input;
  for (const name of path.split('.')) {
    if (!isPlainObject(value)) return undefined;
    value = value[name];
  }
  return value;
}

import { within } from './delay.js';
import { BusError } from './errors.js';
import { object, type Place, type Rule, type RulesFor, required, secretText, text } from './options-rules.js';
import type { Secret } from './secret.js';

/** A user and its password. */
export interface PasswordCredentials {
  readonly username: string;
  /** Never printed. */
  readonly password: string | Secret;
}

/** `PasswordCredentials`, complete. */
export interface PasswordSettings {
  readonly username: string;
  readonly password: Secret;
}

/** The rules of a user and its password. */
export const passwordRules: RulesFor<PasswordSettings> = {
  username: required(text()),
  password: required(secretText()),
};

/**
 * Where credentials come from: they themselves, or a function that is asked at every connect, so that what was rotated
 * is used without a restart.
 */
export interface CredentialsSource<T> {
  /** Whether a function gives them: they may be others at the next connect. */
  readonly rotates: boolean;
  /**
   * What to log in with now. Rejects with `AUTHENTICATION`: retryable when the function failed or did not answer in time,
   * final when what it gave cannot be used.
   */
  ask(timeoutMs: number): Promise<T>;
}

/** The rule of `security.credentials`: an object that keeps to `rules`, or a function that gives one, at once or later. */
export function credentialsRule<T extends object>(
  rules: RulesFor<T>,
): Rule<CredentialsSource<T> | undefined> {
  const shape = object(rules);
  return {
    resolve: (value, place) => {
      if (value === undefined) return undefined;
      if (typeof value === 'function') return rotating(value as () => unknown, shape);
      const fixed = shape.resolve(value, place);
      return fixed === undefined
        ? undefined
        : Object.freeze({ rotates: false, ask: () => Promise.resolve(fixed) });
    },
  };
}

function rotating<T extends object>(give: () => unknown, shape: Rule<T>): CredentialsSource<T> {
  return Object.freeze({
    rotates: true,
    ask: async (timeoutMs: number): Promise<T> => {
      const late = (): Error => new Error(`it gave nothing within ${timeoutMs} ms`);
      let given: unknown;
      try {
        given = await within(timeoutMs, (async () => give())(), late);
      } catch (error) {
        throw refusal(`The function security.credentials failed${messageOf(error)}`, true, error);
      }
      return checked(given, shape);
    },
  });
}

function checked<T>(given: unknown, shape: Rule<T>): T {
  const problems: string[] = [];
  const place: Place = {
    path: 'credentials',
    siblings: {},
    report: (path, message) => problems.push(`${path} ${message}`),
  };
  // A function that gives nothing is wrong; an option that is left out is not.
  const credentials = shape.resolve(given ?? null, place);
  if (credentials !== undefined && problems.length === 0) return credentials;
  throw refusal(
    `What the function security.credentials gave cannot be used: ${problems.join('; ')}`,
    false,
    undefined,
  );
}

function refusal(message: string, retryable: boolean, cause: unknown): BusError {
  return new BusError('AUTHENTICATION', message, { cause, retryable });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `: ${error.message}` : '';
}

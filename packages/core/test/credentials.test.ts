import { inspect } from 'node:util';

import { credentialsRule, type PasswordSettings, passwordRules } from '../src/credentials.js';
import { object, resolveWith } from '../src/options-rules.js';

type Source = ReturnType<ReturnType<typeof credentialsRule<PasswordSettings>>['resolve']>;

function sourceOf(credentials: unknown): NonNullable<Source> {
  const rules = { security: object({ credentials: credentialsRule(passwordRules) }) };
  const { security } = resolveWith(rules, { security: { credentials } });
  if (!security.credentials) throw new Error('There are no credentials');
  return security.credentials;
}

describe('credentials', () => {
  test('fixed ones are the same at every connect', async () => {
    const source = sourceOf({ username: 'u', password: 'hidden-1' });
    expect(source.rotates).toBe(false);
    for (let connect = 0; connect < 2; connect += 1) {
      const { username, password } = await source.ask(1_000);
      expect([username, password.reveal()]).toEqual(['u', 'hidden-1']);
    }
  });

  test('a function is asked at every connect', async () => {
    const passwords = ['first', 'second'];
    const source = sourceOf(() => Promise.resolve({ username: 'u', password: passwords.shift() ?? '' }));
    expect(source.rotates).toBe(true);
    const given = [await source.ask(1_000), await source.ask(1_000)];
    expect(given.map(({ password }) => password.reveal())).toEqual(['first', 'second']);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('the vault is sealed');
      },
      /the vault is sealed/,
    ],
    ['rejects', () => Promise.reject(new Error('the vault is sealed')), /the vault is sealed/],
    ['never answers', () => new Promise(() => undefined), /nothing within 20 ms/],
  ])('a function that %s may be asked again', async (_how, give, message) => {
    await expect(sourceOf(give).ask(20)).rejects.toMatchObject({
      code: 'AUTHENTICATION',
      retryable: true,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ['nothing', undefined, /credentials/],
    ['no password', { username: 'u' }, /credentials\.password must be given/],
    ['a misspelt name', { username: 'u', pasword: 'hidden-1' }, /did you mean "password"/],
  ])('a function that gives %s is refused for good', async (_what, given, message) => {
    const refusal: unknown = await sourceOf(() => given)
      .ask(1_000)
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'AUTHENTICATION',
      retryable: false,
      message: expect.stringMatching(message),
    });
    expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain('hidden-1');
  });

  test('nothing of it is printed', async () => {
    const source = sourceOf({ username: 'u', password: 'hidden-1' });
    const shown = [source, await source.ask(1_000)].map((value) => inspect(value, { showHidden: true }));
    expect(shown.join('\n') + JSON.stringify(source)).not.toContain('hidden-1');
  });
});

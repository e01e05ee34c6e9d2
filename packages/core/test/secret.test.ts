import { inspect } from 'node:util';

import { Secret, secret } from '../src/secret.js';

describe('a secret', () => {
  const password = secret('hunter2');

  it.each<[string, () => string]>([
    ['text', () => `${password} ${String(password)} ${password.toString()}`],
    ['JSON', () => JSON.stringify({ password })],
    ['inspection', () => inspect({ password }, { depth: 10, showHidden: true })],
    ['its fields', () => JSON.stringify([Object.entries(password), Object.getOwnPropertyNames(password)])],
    ['an error message', () => new Error(`login with ${password} failed`).message],
  ])('does not show in %s', (_, shown) => {
    expect(shown()).not.toContain('hunter2');
  });

  it('shows as *** where it would stand', () => {
    expect([`${password}`, JSON.stringify(password), inspect(password)]).toEqual(['***', '"***"', '***']);
  });

  it('is revealed on demand, and stays itself when hidden twice', () => {
    expect(password.reveal()).toBe('hunter2');
    expect(secret(password)).toBe(password);
    expect(new Secret(7).reveal()).toBe(7);
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../../../packages/core/src/errors.js';
import { documentedCodes } from '../src/error-codes.js';
import { ROOT, read } from '../src/repository.js';

const DOCUMENT = 'docs/errors.md';

it('describes every error code in docs/errors.md, once, and none that does not exist', () => {
  const documented = existsSync(join(ROOT, DOCUMENT)) ? documentedCodes(read(DOCUMENT)) : [];
  expect([...documented].sort()).toEqual([...ERROR_CODES].sort());
});

it('reads codes from headings of the third level alone', () => {
  expect(documentedCodes('# `A`\n### `CONNECT`\ntext `OTHER`\n### not a code\n### `TLS` \n')).toEqual([
    'CONNECT',
    'TLS',
  ]);
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The module for child processes lies beside the built code. */
export function processModule(name: string): string {
  const beside = join(__dirname, `${name}.js`);
  return existsSync(beside) ? beside : join(__dirname, '..', '..', 'dist', `${name}.js`);
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mutationPage, PAGE } from './lib/mutation-page.mjs';

// Writes docs/mutation-of-core.md from reports/mutation-core.json; with --check it only compares.
const current = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
const wanted = mutationPage();

if (process.argv.includes('--check')) {
  if (wanted !== current) {
    process.stderr.write('docs/mutation-of-core.md is stale. Run: node scripts/mutation-page.mjs\n');
    process.exitCode = 1;
  }
} else if (wanted !== current) {
  writeFileSync(PAGE, wanted);
  process.stdout.write('docs/mutation-of-core.md: written\n');
}

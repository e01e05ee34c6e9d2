import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withGeneratedPart } from './lib/generated-part.mjs';
import { matrixOf, readReports } from './lib/matrix.mjs';
import { ROOT } from './lib/workspace.mjs';

// Writes the guarantee matrix of the README from reports/conformance-*.json; with --check it only compares.
const path = join(ROOT, 'README.md');
const current = readFileSync(path, 'utf8');
const matrix = matrixOf(readReports(join(ROOT, 'reports')));
const wanted = withGeneratedPart(current, 'guarantee-matrix', matrix);

if (process.argv.includes('--check')) {
  if (wanted !== current) {
    process.stderr.write('The guarantee matrix in README.md is stale. Run: npm run guarantees\n');
    process.exitCode = 1;
  }
} else if (wanted !== current) {
  writeFileSync(path, wanted);
  process.stdout.write('README.md: guarantee matrix written\n');
}

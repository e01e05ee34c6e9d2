import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { licencesPage, listedPackages, problemOf } from './lib/licences.mjs';
import { ROOT } from './lib/workspace.mjs';

// Writes docs/licences.md from the lockfile; with --check it only compares. Licences that are not allowed fail either way.
const path = join(ROOT, 'docs/licences.md');
const packages = listedPackages();
const problems = packages.map(problemOf).filter(Boolean);
const wanted = licencesPage(packages);
const isStale = !existsSync(path) || readFileSync(path, 'utf8') !== wanted;

if (!process.argv.includes('--check')) writeFileSync(path, wanted);
else if (isStale) problems.push('docs/licences.md is stale. Run: npm run licences');
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;

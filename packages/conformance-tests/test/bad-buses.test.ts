import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { CATALOGUE } from '../src/catalogue.js';
import type { ConformanceReport } from '../src/report.js';

const CLI = join(__dirname, '../dist/cli.js');
const BUS = join(__dirname, 'fixtures/throwing-bus-under-test.mjs');

it('reports a bus that throws outside of every promise, and goes on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnibus-bad-bus-'));
  try {
    const path = join(folder, 'report.json');
    const run = spawnSync(process.execPath, [CLI, '--module', BUS, '--ids', 'CT10,PO04', '--report', path]);
    const { ids } = JSON.parse(readFileSync(path, 'utf8')) as ConformanceReport;
    expect(run.status).toBe(1);
    expect(Object.keys(ids)).toHaveLength(CATALOGUE.length);
    expect([ids.CT10?.status, ids.PO04?.status]).toEqual(['fail', 'fail']);
    expect(ids.PO04?.reason).toContain('thrown by nobody');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

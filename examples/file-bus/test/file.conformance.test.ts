import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformance } from '@omnibus/conformance-tests';
import { FileEventBus } from '../src/file-event-bus.js';
import { faultsOfFiles, inspectFiles } from './inspect-files.js';

const folder = mkdtempSync(join(tmpdir(), 'file-bus-'));

conformance({
  name: 'file',
  runner: { describe, it, beforeAll, afterAll },
  only: ['L1', 'L2'],
  create: ({ namespace, group, overrides }) =>
    new FileEventBus({
      folder: join(folder, namespace),
      ...(overrides.ephemeralGroup ? {} : { group }),
      ...overrides,
    }),
  processModule: join(__dirname, 'file-bus-under-test.mjs'),
  processEnv: { FILE_BUS_FOLDER: folder },
  capabilities: {
    durable: true,
    retained: true,
    competing: false,
    history: 'none',
    processes: true,
    sockets: false,
    orderedRetry: true,
    batchAtomic: true,
    trimming: false,
    topology: false,
    sharing: 'partition',
    cloudEvents: false,
    security: false,
  },
  inspect: inspectFiles(folder),
  faults: faultsOfFiles(folder),
  teardown: async () => rmSync(folder, { recursive: true, force: true }),
});

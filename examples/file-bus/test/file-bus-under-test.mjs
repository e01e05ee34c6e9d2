import { join } from 'node:path';
import { FileEventBus } from '../dist/file-event-bus.js';

/** For the kit's child processes. */
export function create({ namespace, group, overrides }) {
  const folder = join(process.env.FILE_BUS_FOLDER, namespace);
  return new FileEventBus({ folder, ...(overrides.ephemeralGroup ? {} : { group }), ...overrides });
}

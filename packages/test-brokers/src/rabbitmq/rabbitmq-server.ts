import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { aptInstall } from '../apt.js';
import { TestBrokerError } from '../errors.js';
import type { Report } from '../report.js';

/** Where RabbitMQ's scripts are: those that do not change the user, unlike the ones in the path. */
const FOLDERS = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/opt/rabbitmq/sbin', '/usr/local/opt/rabbitmq/sbin'];

/** Finds the folder of RabbitMQ's scripts; installs it where that is possible. `TOOL_MISSING` names it otherwise. */
export async function requireRabbitMQ(report: Report): Promise<string> {
  const found = await findScripts();
  if (found !== undefined) return found;
  const why = await aptInstall(['rabbitmq-server'], report);
  const installed = await findScripts();
  if (installed !== undefined) return installed;
  throw new TestBrokerError(
    'TOOL_MISSING',
    `RabbitMQ is needed, and was not installed (${why ?? 'its scripts are not where they should be'}). ` +
      'Install it (Debian, Ubuntu: rabbitmq-server; macOS: brew install rabbitmq), or name running nodes in OMNIBUS_RABBITMQ_URLS.',
  );
}

async function findScripts(): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const isThere = await access(join(folder, 'rabbitmq-server')).then(
      () => true,
      () => false,
    );
    if (isThere) return folder;
  }
  return undefined;
}

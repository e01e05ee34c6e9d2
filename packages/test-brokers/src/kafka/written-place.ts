import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { LOOPBACK } from '../ports.js';
import type { NodeLayout } from './server-properties.js';
import type { KafkaPlace, WrittenKafka } from './written-kafka.js';

const PROBE_TIMEOUT_MS = 2_000;

/** The place of a node among the others. */
export function placeOf({ nodeId, files }: NodeLayout, layouts: readonly NodeLayout[]): KafkaPlace {
  return {
    nodeId,
    clients: layouts.map(({ clients }) => clients[0]?.bind ?? ''),
    brokers: layouts.map(({ internal }) => internal.bind),
    controllers: layouts.map(({ controllerBind }) => controllerBind),
    caPath: files.tls?.caPath ?? '',
    certificatePath: files.tls?.certificatePaths.valid ?? '',
  };
}

/** Writes what the tools log in with. Resolves to their arguments. */
export async function writeAdmin(
  written: WrittenKafka,
  place: KafkaPlace,
  folder: string,
): Promise<string[]> {
  const path = join(folder, 'admin.properties');
  await writeFile(path, written.admin(place));
  return ['--command-config', path];
}

/** Rejects until the node listens. */
export function probePort(address: string): Promise<void> {
  const port = Number(address.slice(LOOPBACK.length + 1));
  return new Promise((resolve, reject) => {
    const socket = connect({ host: LOOPBACK, port, timeout: PROBE_TIMEOUT_MS });
    socket.once('connect', () => resolve());
    socket.once('timeout', () => socket.destroy(new Error(`${address} does not answer`)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${address} does not answer`)));
    socket.once('connect', () => socket.destroy());
  });
}

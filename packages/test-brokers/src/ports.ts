import { once } from 'node:events';
import { createServer } from 'node:net';

/** The address that brokers listen on, and nobody else reaches. */
export const LOOPBACK = '127.0.0.1';

// Below every system's ephemeral range. A port from within it could be taken by any outgoing connection
// while its broker is down, even by the very client that tries to reach that broker.
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;

const reserved = new Set<number>();

/**
 * Finds ports that are free now and keeps them from other calls in this process until `releasePorts`, so
 * that a broker that is down finds its own again. Other processes are not kept from them: whoever starts a
 * broker tries again with others when binding fails.
 */
export async function reservePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
    if (reserved.has(port)) continue;
    reserved.add(port);
    if (await isFree(port)) ports.push(port);
    else reserved.delete(port);
  }
  return ports;
}

/** Gives ports back for other brokers of this process. */
export function releasePorts(ports: readonly number[]): void {
  for (const port of ports) reserved.delete(port);
}

/** Whether a server could listen there now. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

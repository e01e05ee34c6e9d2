import { messageOf } from './errors.js';
import type { Report } from './report.js';

const START_ATTEMPTS = 3;
const PORT_TAKEN = /address already in use|BindException|port is already allocated/i;

/** Starts something on free ports, and again with others when another process takes one of them meanwhile. */
export async function withFreePorts<T>(what: string, report: Report, start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS || !PORT_TAKEN.test(messageOf(error))) throw error;
      report(`${what}: a port was taken meanwhile; starting again with others`);
    }
  }
}

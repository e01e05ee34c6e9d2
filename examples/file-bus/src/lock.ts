import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * A lock that the operating system ends with its process: an abstract socket of Linux, whose name only one can have. A
 * process that stands still keeps it, so that nobody ever takes anything away from an owner. Undefined when it is taken.
 */
export function tryLock(what: string): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    const path = `\0omnibus-${createHash('sha256').update(what).digest('hex')}`;
    server.listen({ path }, () => resolve(server.unref()));
  });
}

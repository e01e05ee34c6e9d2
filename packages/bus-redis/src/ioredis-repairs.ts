import { Cluster, type Redis } from 'ioredis';

/**
 * ioredis does not stop the timer of a socket that closed while an answer was due. It would keep the process alive, and
 * break the next socket when it fires. Stopped here as soon as the socket is closed.
 */
export function repairSocketTimers(client: Redis | Cluster): void {
  if (!(client instanceof Cluster)) stopWithSocket(client);
  else client.on('+node', stopWithSocket);
}

function stopWithSocket(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  redis.on('close', () => {
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
}

import type { Socket } from 'node:net';

/**
 * Breaks a connection as a network does: the other side gets a RST. Where there is nothing to reset it is closed.
 *
 * A socket whose end is just being sent is closed as well. libuv refuses to reset it ("mixing of uv_shutdown() and
 * uv_tcp_close_reset() is not allowed", https://docs.libuv.org/en/v1.x/tcp.html), and Node 20 takes it for closed all the
 * same: it never is, and the process spins for ever when it should exit.
 */
export function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || isEnding) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import { until } from '../src/poll.js';
import { resetSocket } from '../src/reset-socket.js';

let server: Server;
let socket: Socket;
let peer: Socket | undefined;
let peerSaw: string | undefined;

beforeEach(async () => {
  peer = undefined;
  peerSaw = undefined;
  server = createServer({ allowHalfOpen: true }, (accepted) => {
    peer = accepted.resume().on('error', (error: NodeJS.ErrnoException) => {
      peerSaw = error.code;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
});
afterEach(() => {
  peer?.destroy();
  server.close();
});

/** Resets it, and resolves when it is really closed. */
async function reset(): Promise<void> {
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
  });
  resetSocket(socket);
  await until('the socket to close', () => isClosed, { withinMs: 2_000 });
}

it('resets an open connection', async () => {
  await once(socket, 'connect');
  await until('the other side to have it', () => peer !== undefined, { withinMs: 2_000 });
  await reset();
  await until('the other side to notice', () => peerSaw === 'ECONNRESET', { withinMs: 2_000 });
});

it('closes one that is not open yet', async () => {
  await reset();
});

it('closes one whose end is being sent', async () => {
  await once(socket, 'connect');
  socket.end('the last');
  await reset();
});

it('closes one whose end was sent', async () => {
  await once(socket, 'connect');
  socket.end('the last');
  await once(socket, 'finish');
  await reset();
});

it('leaves a closed one alone', async () => {
  await once(socket, 'connect');
  await reset();
  expect(() => resetSocket(socket)).not.toThrow();
});

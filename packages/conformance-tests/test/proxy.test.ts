import { connect, createServer, type Server, type Socket } from 'node:net';

import { until } from '../src/poll.js';
import { TcpProxy } from '../src/proxy.js';

/** An echo server behind a proxy, and a client that remembers what happened to it. */
class Client {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;
  code: string | undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (chunk) => {
      this.received += chunk.toString();
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.code = error.code;
    });
  }

  async echo(text: string): Promise<void> {
    const before = this.received.length;
    this.socket.write(text);
    await until(`the echo of ${text.length} characters`, () => this.received.slice(before) === text, {
      withinMs: 5_000,
    });
  }
}

describe('TcpProxy', () => {
  let server: Server;
  let serverSide: Socket[];
  let serverCodes: (string | undefined)[];
  let proxy: TcpProxy;
  const clients: Client[] = [];

  const client = (): Client => {
    const made = new Client(proxy.port);
    clients.push(made);
    return made;
  };

  beforeEach(async () => {
    serverSide = [];
    serverCodes = [];
    server = createServer((socket) => {
      serverSide.push(socket);
      socket.on('error', (error: NodeJS.ErrnoException) => serverCodes.push(error.code));
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (!address || typeof address !== 'object') throw new Error('no address');
    proxy = await TcpProxy.start({ target: { host: '127.0.0.1', port: address.port } });
  });

  afterEach(async () => {
    for (const one of clients.splice(0)) one.socket.destroy();
    await proxy.close();
    for (const socket of serverSide) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes bytes both ways, and ends both sides orderly', async () => {
    const one = client();
    await one.echo('x'.repeat(1_000_000));
    expect(proxy).toMatchObject({ open: 1, accepted: 1 });
    one.socket.end();
    await until('the end to arrive', () => one.ended && one.closed, { withinMs: 1_000 });
    expect(one.code).toBeUndefined();
    await until('the proxy to forget', () => proxy.open === 0, { withinMs: 1_000 });
  });

  it('cuts with a reset on both sides, and takes new connections', async () => {
    const one = client();
    await one.echo('before');
    await proxy.cut();
    await until('both resets', () => one.code === 'ECONNRESET' && serverCodes.includes('ECONNRESET'), {
      withinMs: 1_000,
    });
    expect(proxy.open).toBe(0);
    await client().echo('after');
    expect(proxy.accepted).toBe(2);
  });

  it('goes silent without telling anybody, and resets what lost bytes when healed', async () => {
    const one = client();
    await one.echo('before');
    await proxy.halfOpen();
    one.socket.write('into the void');
    serverSide[0]?.end('also lost');
    const during = client();
    await until('the connection to be made', () => during.socket.readyState === 'open', { withinMs: 1_000 });
    during.socket.write('unanswered');
    await until('the proxy to have swallowed it all', () => during.socket.bytesWritten === 10, {
      withinMs: 1_000,
    });
    expect(one).toMatchObject({ received: 'before', ended: false, closed: false, code: undefined });
    expect(during).toMatchObject({ received: '', closed: false });
    await proxy.heal();
    await until('the damaged to be reset', () => one.code === 'ECONNRESET', { withinMs: 1_000 });
    await client().echo('after');
  });

  it('delays in both directions, keeps the order, and ends', async () => {
    const one = client();
    await one.echo('before');
    await proxy.latency(50);
    const startedAt = performance.now();
    for (const n of [1, 2, 3]) one.socket.write(`${n}`);
    await until('the delayed echo', () => one.received === 'before123', { withinMs: 5_000 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(100);
    await proxy.heal();
    await one.echo('after');
  });

  it('lets only so many bytes pass in a second', async () => {
    const one = client();
    await proxy.throttle(100_000);
    const startedAt = performance.now();
    await one.echo('x'.repeat(40_000));
    // Twice 0.4 seconds, but the directions work side by side.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(400);
  });

  it('refuses new connections, leaves open ones alone, and listens on the same port when healed', async () => {
    const one = client();
    await one.echo('before');
    const { port } = proxy;
    await proxy.refuse();
    const refused = client();
    await until('the refusal', () => refused.code === 'ECONNREFUSED', { withinMs: 1_000 });
    await one.echo('still here');
    await proxy.heal();
    expect(proxy.port).toBe(port);
    await client().echo('after');
  });

  it('flaps: cuts as often as asked', async () => {
    let resets = 0;
    let stop = false;
    const reconnect = (): void => {
      if (stop) return;
      const one = client();
      one.socket.on('close', () => {
        if (one.code === 'ECONNRESET') resets += 1;
        reconnect();
      });
    };
    reconnect();
    await until('the first connection', () => serverSide.length === 1, { withinMs: 1_000 });
    await proxy.flap(5, 250);
    stop = true;
    await until('the last reset', () => resets >= 4, { withinMs: 1_000 });
    expect(resets).toBeLessThanOrEqual(5);
  });

  it('resets the client when the server dies, and the server when the client dies', async () => {
    const one = client();
    await one.echo('before');
    serverSide[0]?.resetAndDestroy();
    await until('the client to notice', () => one.code === 'ECONNRESET', { withinMs: 1_000 });
    const two = client();
    await two.echo('before');
    two.socket.resetAndDestroy();
    await until('the server to notice', () => serverCodes.includes('ECONNRESET'), { withinMs: 1_000 });
  });
});

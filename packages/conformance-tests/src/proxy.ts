import { connect, createServer, type Server, type Socket } from 'node:net';

import type { NetworkFaults } from './network-faults.js';
import { pause } from './poll.js';
import { resetSocket } from './reset-socket.js';
import { Shaper } from './shaper.js';

/** Where the proxy listens, and what it stands before. */
export interface TcpProxyOptions {
  /** The broker. A function is asked at each connection, for brokers that move. */
  readonly target: Address | (() => Address);
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** 0 lets the system choose. @default 0 */
  readonly port?: number;
}

/** A host and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One client and its connection to the broker. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly shapers: readonly [Shaper, Shaper];
  /** Bytes were swallowed: the stream can never be right again. */
  damaged: boolean;
}

/** A TCP proxy that can fail in the ways that networks do. Needs no rights and no container. */
export class TcpProxy implements NetworkFaults {
  readonly #options: TcpProxyOptions;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #port = 0;
  #accepted = 0;
  #sent = 0;
  #silent = false;
  #latencyMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;

  private constructor(options: TcpProxyOptions) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  /** Listens. */
  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await proxy.#listen();
    return proxy;
  }

  get host(): string {
    return this.#options.host ?? '127.0.0.1';
  }

  /** The port it listens on; stays the same through `refuse` and `heal`. */
  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#pairs.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get sent(): number {
    return this.#sent;
  }

  cut(): Promise<void> {
    for (const pair of [...this.#pairs]) this.#reset(pair);
    return Promise.resolve();
  }

  halfOpen(): Promise<void> {
    this.#silent = true;
    return Promise.resolve();
  }

  latency(delayMs: number): Promise<void> {
    this.#latencyMs = delayMs;
    this.#reshape();
    return Promise.resolve();
  }

  throttle(bytesPerSecond: number): Promise<void> {
    this.#bytesPerSecond = bytesPerSecond;
    this.#reshape();
    return Promise.resolve();
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    // `close` also waits for open connections, which live on here; refusing begins at once.
    server?.close();
    await Promise.resolve();
  }

  async flap(times: number, withinMs: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      await this.cut();
      await pause(withinMs / times);
    }
  }

  async heal(): Promise<void> {
    this.#silent = false;
    this.#latencyMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#reshape();
    for (const pair of [...this.#pairs]) if (pair.damaged) this.#reset(pair);
    if (!this.#server) await this.#listen();
  }

  /** Ends every connection and stops listening. */
  async close(): Promise<void> {
    await this.refuse();
    await this.cut();
  }

  async #listen(): Promise<void> {
    const server = createServer((client) => this.#accept(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const address = server.address();
    if (address && typeof address === 'object') this.#port = address.port;
    this.#server = server;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const { target } = this.#options;
    const { host, port } = typeof target === 'function' ? target() : target;
    const upstream = connect({ host, port, noDelay: true, allowHalfOpen: true });
    client.setNoDelay(true);
    client.allowHalfOpen = true;
    const pair: Pair = {
      client,
      upstream,
      shapers: [new Shaper(upstream), new Shaper(client)],
      damaged: false,
    };
    this.#shape(pair);
    this.#pairs.add(pair);
    this.#pump(pair, client, pair.shapers[0]);
    this.#pump(pair, upstream, pair.shapers[1]);
  }

  #pump(pair: Pair, from: Socket, shaper: Shaper): void {
    from.on('data', (chunk: Buffer) => {
      if (from === pair.client) this.#sent += 1;
      if (this.#silent) pair.damaged = true;
      else if (!shaper.push(chunk)) {
        from.pause();
        shaper.onDrain = () => from.resume();
      }
    });
    from.on('end', () => {
      if (this.#silent) pair.damaged = true;
      else shaper.end();
    });
    from.on('error', () => this.#reset(pair));
    from.on('close', () => {
      // A side that is gone without an orderly end takes the other with it, unless nobody is to be told.
      if (pair.client.destroyed && pair.upstream.destroyed) this.#pairs.delete(pair);
      else if (from.readableEnded) return;
      else if (this.#silent) pair.damaged = true;
      else this.#reset(pair);
    });
  }

  #reset(pair: Pair): void {
    this.#pairs.delete(pair);
    for (const shaper of pair.shapers) shaper.drop();
    for (const socket of [pair.client, pair.upstream]) resetSocket(socket);
  }

  #reshape(): void {
    for (const pair of this.#pairs) this.#shape(pair);
  }

  #shape(pair: Pair): void {
    for (const shaper of pair.shapers) shaper.set(this.#latencyMs, this.#bytesPerSecond);
  }
}

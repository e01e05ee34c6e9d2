import { connect, createServer, type Server, type Socket } from 'node:net';

/** One client, and its connection to the server. */
interface Passage {
  readonly client: Socket;
  readonly server: Socket;
  /** The end of what the client sent last: what is looked for may come in two pieces. */
  tail: string;
}

/** What is kept back, in one direction of one connection. */
interface Held {
  readonly passage: Passage;
  readonly direction: 'command' | 'answer';
  readonly bytes: Buffer[];
}

/**
 * A way to a server on which one command can be kept back, or its answer, for as long as a test likes; with it everything
 * that follows on the same connection.
 */
export class Gate {
  private readonly passages = new Set<Passage>();
  private wanted: { readonly text: string; readonly direction: Held['direction'] } | undefined;
  private held: Held | undefined;
  private onHeld: (() => void) | undefined;
  private onAnswer: (() => void) | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
  ) {
    server.on('connection', (client: Socket) => this.accept(client));
  }

  static async open(url: string): Promise<Gate> {
    const { hostname: host, port } = new URL(url);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Gate(server, { host, port: Number(port) });
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The gate is closed');
    return `redis://127.0.0.1:${address.port}`;
  }

  /** Keeps back the next command that holds the text, or its answer. Resolves when the first bytes of it are here. */
  hold(text: string, direction: Held['direction']): Promise<void> {
    this.wanted = { text, direction };
    return new Promise((resolve) => {
      this.onHeld = resolve;
    });
  }

  /** Lets everything go. Resolves when a command that was kept back has its answer. */
  async release(): Promise<void> {
    const { held } = this;
    this.held = undefined;
    if (!held) return;
    const { passage, direction, bytes } = held;
    if (direction === 'answer') {
      passage.client.write(Buffer.concat(bytes));
      return;
    }
    const answered = new Promise<void>((resolve) => {
      this.onAnswer = resolve;
    });
    passage.server.write(Buffer.concat(bytes));
    await answered;
  }

  close(): void {
    this.server.close();
    for (const { client, server } of this.passages) {
      client.destroy();
      server.destroy();
    }
  }

  private accept(client: Socket): void {
    const passage: Passage = { client, server: connect({ ...this.target, noDelay: true }), tail: '' };
    const { server } = passage;
    this.passages.add(passage);
    client.setNoDelay(true);
    client.on('data', (chunk: Buffer) => this.fromClient(passage, chunk));
    server.on('data', (chunk: Buffer) => this.fromServer(passage, chunk));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.passages.delete(passage);
      });
    }
  }

  private fromClient(passage: Passage, chunk: Buffer): void {
    if (this.isHolding(passage, 'command')) this.held?.bytes.push(chunk);
    else {
      const kept = this.look(passage, chunk);
      if (!kept) passage.server.write(chunk);
    }
  }

  private fromServer(passage: Passage, chunk: Buffer): void {
    if (this.isHolding(passage, 'answer')) {
      this.held?.bytes.push(chunk);
      this.reportHeld();
    } else {
      passage.client.write(chunk);
      this.onAnswer?.();
      this.onAnswer = undefined;
    }
  }

  /** Whether the chunk is kept back, because what is looked for has come. */
  private look(passage: Passage, chunk: Buffer): boolean {
    const { wanted } = this;
    if (!wanted) return false;
    const seen = passage.tail + chunk.toString('latin1');
    passage.tail = seen.slice(-wanted.text.length);
    if (!seen.includes(wanted.text)) return false;
    this.wanted = undefined;
    const isCommand = wanted.direction === 'command';
    this.held = { passage, direction: wanted.direction, bytes: isCommand ? [chunk] : [] };
    if (isCommand) this.reportHeld();
    return isCommand;
  }

  private isHolding(passage: Passage, direction: Held['direction']): boolean {
    return this.held?.passage === passage && this.held.direction === direction;
  }

  private reportHeld(): void {
    this.onHeld?.();
    this.onHeld = undefined;
  }
}

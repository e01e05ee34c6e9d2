import { type Readable, Writable } from 'node:stream';
import type { ContainerRuntimeClient } from 'testcontainers';
import type { LogRing } from './log-ring.js';

/** A container as the engine's client gives it. */
export type Container = ReturnType<ContainerRuntimeClient['container']['getById']>;

/** A container that can be started again and again, and whose output is kept. */
export class BrokerContainer {
  readonly #container: Container;
  readonly #log: LogRing;
  #running = true;
  #ended: Promise<void> = Promise.resolve();

  constructor(container: Container, log: LogRing) {
    this.#container = container;
    this.#log = log;
  }

  get running(): boolean {
    return this.#running;
  }

  /** Resolves when its output ends, which is when the container does. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Takes its output from that time on (seconds since 1970); needed after every start. */
  async follow(since: number): Promise<void> {
    const options = { follow: true, stdout: true, stderr: true, since } as const;
    const output = await this.#container.logs(options);
    this.#running = true;
    const sink = sinkFor(this.#log);
    this.#container.modem.demuxStream(output, sink, sink);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#running = false;
        resolve();
      };
      output.once('end', end).once('error', end).once('close', end);
    });
    unreference(output);
  }

  async start(): Promise<void> {
    const since = Math.floor(Date.now() / 1_000);
    await this.#container.start();
    await this.follow(since);
  }

  /** SIGTERM, then SIGKILL after the grace. */
  async stop(graceSeconds: number): Promise<void> {
    await this.#container.stop({ t: graceSeconds });
    await this.#ended;
  }

  /** SIGKILL, also when it is paused. */
  async kill(): Promise<void> {
    await this.#container.kill();
    await this.#container.wait();
    this.#running = false;
  }

  async pause(): Promise<void> {
    await this.#container.pause();
  }

  async resume(): Promise<void> {
    await this.#container.unpause();
  }
}

function sinkFor(log: LogRing): NodeJS.WritableStream {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      log.append(chunk.toString('utf8'));
      done();
    },
  });
}

// The engine's connection must not keep this process alive; its reaper ends the container.
function unreference(output: NodeJS.ReadableStream): void {
  const { socket } = output as Readable & { socket?: { unref?: () => void } };
  socket?.unref?.();
}

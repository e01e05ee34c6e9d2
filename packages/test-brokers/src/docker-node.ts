import { type BrokerNode, type NodeIdentity, type NodeState, SHOWN_LOG_LINES } from './broker-node.js';
import type { BrokerContainer } from './docker-container.js';
import type { LogRing } from './log-ring.js';
import { awaitReady } from './readiness.js';

const GRACE_SECONDS = 20;

/** What a node in a container is made of. */
export interface DockerNodeSpec extends NodeIdentity {
  readonly container: BrokerContainer;
  readonly log: LogRing;
}

/** A broker in a container. */
export class DockerNode implements BrokerNode {
  readonly pid = undefined;
  readonly #spec: DockerNodeSpec;
  #starting: Promise<void> | undefined;
  #paused = false;
  #expected = false;

  constructor(spec: DockerNodeSpec) {
    this.#spec = spec;
    this.#watch();
  }

  get id(): number {
    return this.#spec.id;
  }

  get state(): NodeState {
    if (!this.#spec.container.running) return 'down';
    return this.#paused ? 'paused' : 'running';
  }

  logs(): string {
    return this.#spec.log.text();
  }

  start(): Promise<void> {
    this.#starting ??= this.#serve().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async down(): Promise<void> {
    if (this.state === 'down') return;
    await this.resume();
    this.#expected = true;
    await this.#spec.container.stop(GRACE_SECONDS);
  }

  async kill(): Promise<void> {
    if (this.state === 'down') return;
    this.#expected = true;
    this.#paused = false;
    await this.#spec.container.kill();
  }

  async pause(): Promise<void> {
    if (this.state !== 'running') return;
    await this.#spec.container.pause();
    this.#paused = true;
  }

  async resume(): Promise<void> {
    if (this.state !== 'paused') return;
    await this.#spec.container.resume();
    this.#paused = false;
  }

  async #serve(): Promise<void> {
    const { container, name, probe, startTimeoutMs, log } = this.#spec;
    await this.resume();
    if (!container.running) {
      await container.start();
      this.#watch();
    }
    await awaitReady({
      probe,
      exited: container.ended.then(() => 'its container stopped'),
      timeoutMs: startTimeoutMs,
      what: name,
      lastLogLines: () => log.lastLines(SHOWN_LOG_LINES),
    });
  }

  #watch(): void {
    const { container, name, report, log } = this.#spec;
    this.#expected = false;
    void container.ended.then(() => {
      // A start that fails tells of it in its error.
      if (this.#expected || this.#starting !== undefined) return;
      report(`${name} ended by itself:\n${log.lastLines(SHOWN_LOG_LINES)}`);
    });
  }
}

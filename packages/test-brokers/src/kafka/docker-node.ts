import type { BrokerContainer } from '../docker-container.js';
import type { LogRing } from '../log-ring.js';
import { awaitReady } from '../readiness.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import type { KafkaNode, NodeState } from './running-kafka.js';
import { fetchNodes } from './wire.js';

const PROBE_TIMEOUT_MS = 2_000;
const GRACE_SECONDS = 20;
const SHOWN_LOG_LINES = 30;

/** What a node in a container is made of. */
export interface DockerNodeSpec {
  readonly id: number;
  readonly container: BrokerContainer;
  /** `host:port` at which it is reached past all proxies. */
  readonly directAddress: string;
  readonly options: ResolvedKafkaOptions;
  readonly log: LogRing;
}

/** A broker in a container. */
export class DockerNode implements KafkaNode {
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
    const { container, options, directAddress, log } = this.#spec;
    await this.resume();
    if (!container.running) {
      await container.start();
      this.#watch();
    }
    await awaitReady({
      probe: async () => {
        const nodes = await fetchNodes(directAddress, PROBE_TIMEOUT_MS);
        if (!nodes.some(({ id }) => id === this.id)) throw new Error('the quorum has not admitted it yet');
      },
      exited: container.ended.then(() => 'its container stopped'),
      timeoutMs: options.startTimeoutMs,
      what: this.#name,
      lastLogLines: () => log.lastLines(SHOWN_LOG_LINES),
    });
  }

  #watch(): void {
    const { container, options, log } = this.#spec;
    this.#expected = false;
    void container.ended.then(() => {
      // A start that fails tells of it in its error.
      if (this.#expected || this.#starting !== undefined) return;
      options.report(`${this.#name} ended by itself:\n${log.lastLines(SHOWN_LOG_LINES)}`);
    });
  }

  get #name(): string {
    const { options, id } = this.#spec;
    return `Kafka ${options.version} in Docker${options.nodes === 1 ? '' : `, node ${id}`}`;
  }
}

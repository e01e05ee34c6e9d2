import type { Administrable } from './administration.js';
import type { BrokerNode } from './broker-node.js';
import { TestBrokerError } from './errors.js';

/** What can be done to a running broker as a whole. */
export interface BrokerLifecycle extends Administrable, AsyncDisposable {
  /** The newest output of all nodes. */
  logs(): string;
  /** Starts the nodes that are down; resolves when all serve. */
  start(): Promise<void>;
  /** Ends all nodes in good order, as an operator would; ports and data stay for `start`. */
  down(): Promise<void>;
  /** `down`, then `start`: same ports, same data. */
  restart(): Promise<void>;
  /** SIGKILL to all nodes; ports and data stay for `start`. */
  kill(): Promise<void>;
  /** SIGSTOP to all nodes. */
  pause(): Promise<void>;
  /** SIGCONT to all nodes that are paused. */
  resume(): Promise<void>;
  /** Ends everything for good and removes every file. Again: nothing. Brokers found at an address stay. */
  stop(): Promise<void>;
}

/** What the lifecycle of a whole is put together from. */
export interface LifecycleParts {
  /** Named in errors, such as `Kafka`. */
  readonly product: string;
  readonly nodes: readonly BrokerNode[];
  /** Resolves when the nodes, each of which serves, serve as one. */
  readonly awaitWhole: () => Promise<void>;
  /** Runs one of the broker's own tools. */
  readonly administer: Administrable['administer'];
  /** Ends what still runs, frees the ports and removes the files. */
  readonly release: () => Promise<void>;
}

/** The lifecycle of nodes that were started here. */
export function lifecycleOf(parts: LifecycleParts): BrokerLifecycle {
  const { product, nodes, awaitWhole, administer, release } = parts;
  let stopped: Promise<void> | undefined;
  const refuseWhenStopped = (): void => {
    if (stopped === undefined) return;
    const message = `This ${product} was stopped for good; \`down\` keeps its ports and data.`;
    throw new TestBrokerError('STOPPED', message);
  };
  const each = async (act: (node: BrokerNode) => Promise<void>): Promise<void> => {
    refuseWhenStopped();
    await Promise.all(nodes.map(act));
  };
  const start = (): Promise<void> => each((node) => node.start()).then(awaitWhole);
  const down = (): Promise<void> => each((node) => node.down());
  const stop = (): Promise<void> => {
    stopped ??= Promise.all(nodes.map((node) => node.kill())).then(release);
    return stopped;
  };
  return {
    logs: () => nodes.map((node) => node.logs()).join('\n'),
    start,
    down,
    restart: () => down().then(start),
    kill: () => each((node) => node.kill()),
    pause: () => each((node) => node.pause()),
    resume: () => each((node) => node.resume()),
    administer: async (command) => {
      refuseWhenStopped();
      return administer(command);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The lifecycle of brokers that somebody else runs: nothing is done to them, and `stop` leaves them alone. */
export function foreignLifecycle(variable: string): BrokerLifecycle {
  const refuse = async (): Promise<never> => {
    throw foreignBrokers(variable);
  };
  const nothing = async (): Promise<void> => {};
  return {
    logs: () => '',
    start: refuse,
    down: refuse,
    restart: refuse,
    kill: refuse,
    pause: refuse,
    resume: refuse,
    administer: refuse,
    stop: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

/** Why brokers named in a variable are left alone. */
export function foreignBrokers(variable: string): TestBrokerError {
  return new TestBrokerError(
    'FAULT_UNAVAILABLE',
    `The brokers in ${variable} are run by somebody else: they are not stopped, killed, paused, started ` +
      `or administered here, and their logs are not at hand. Unset ${variable} to have a broker started.`,
  );
}

/** A node by its place, 0 for the first. Throws `FAULT_UNAVAILABLE` when there is none. */
export function nodeAt<Node>(product: string, nodes: readonly Node[], index: number): Node {
  const node = nodes[index];
  if (node !== undefined) return node;
  throw new TestBrokerError(
    'FAULT_UNAVAILABLE',
    `There is no node ${index}; this ${product} has ${nodes.length}, counted from 0.`,
  );
}

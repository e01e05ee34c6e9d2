/** What a node does now. */
export type NodeState = 'running' | 'paused' | 'down';

/** One node of a running broker. Its data stay until the whole is stopped, as far as it keeps data at all. */
export interface BrokerNode {
  /** 1 for the first node. */
  readonly id: number;
  readonly state: NodeState;
  /** Of the broker's process; undefined while it is down, and where it is not a process of this machine. */
  readonly pid: number | undefined;
  /** The newest output of the broker. */
  logs(): string;
  /** Starts it again on the same ports with the same data; resolves when it serves. Nothing if it runs. */
  start(): Promise<void>;
  /** Ends it in good order, as an operator would; its data stay. */
  down(): Promise<void>;
  /** Ends it with SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** Freezes it (SIGSTOP): connections stay open, nothing is answered. */
  pause(): Promise<void>;
  /** Lets a frozen one go on (SIGCONT). */
  resume(): Promise<void>;
}

/** What every way of running a node needs to know about it. */
export interface NodeIdentity {
  readonly id: number;
  /** Named in errors and lines, such as `Kafka 4.3.1, node 1`. */
  readonly name: string;
  /** Resolves when it serves; rejects while it does not. Each call must end by itself. */
  readonly probe: () => Promise<void>;
  /** How long a start may take until it serves. */
  readonly startTimeoutMs: number;
  readonly report: (line: string) => void;
}

/** How many log lines an error shows. */
export const SHOWN_LOG_LINES = 30;

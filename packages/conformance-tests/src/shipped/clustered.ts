import type { EventBus } from '@omnibus/core';

import type { ConformanceSubject, CreateRequest, Faults, NodeFaults } from '../subject.js';

/** A cluster that was started for tests. */
export interface StartedCluster {
  readonly version: string;
  node(index: number): ClusterNode;
  pause(): Promise<void>;
  resume(): Promise<void>;
  down(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A node of it. */
export interface ClusterNode extends Omit<NodeFaults, 'stop'> {
  /** Orderly; data stay. */
  down(): Promise<void>;
}

/** What makes a subject on a cluster. */
export interface Clustered<Cluster extends StartedCluster> {
  /** The bus as it is on a single node. */
  readonly subject: ConformanceSubject;
  readonly nodes: number;
  start(): Promise<Cluster>;
  /** The addresses as one text. */
  addresses(cluster: Cluster): string;
  create(addresses: string, request: CreateRequest): Promise<EventBus>;
  /** The variable that tells child processes the addresses. */
  readonly variable: string;
}

/**
 * A bus on a cluster whose nodes can be hurt one by one. For the nemesis: nothing is looked at past the bus, and what a run
 * left behind goes with the cluster.
 */
export function clustered<Cluster extends StartedCluster>(made: Clustered<Cluster>): ConformanceSubject {
  const { name, capabilities, processModule, budget, broker } = made.subject;
  let cluster: Cluster | undefined;
  const running = (): Cluster => {
    if (!cluster) throw new Error('the cluster is not started');
    return cluster;
  };
  const nodeFaults = (index: number): NodeFaults => {
    const node = (): ClusterNode => running().node(index);
    return {
      stop: () => node().down(),
      kill: () => node().kill(),
      start: () => node().start(),
      pause: () => node().pause(),
      resume: () => node().resume(),
    };
  };
  const faults: Faults = {
    stop: () => running().down(),
    kill: () => running().kill(),
    start: () => running().start(),
    pause: () => running().pause(),
    resume: () => running().resume(),
    nodes: Array.from({ length: made.nodes }, (_, index) => nodeFaults(index)),
  };
  return {
    name,
    broker: async () => {
      const info = await (typeof broker === 'function' ? broker() : broker);
      return { name: `${info?.name ?? name} of ${made.nodes} nodes`, version: running().version };
    },
    capabilities: { ...capabilities, security: false },
    setup: async () => {
      cluster = await made.start();
    },
    teardown: async () => cluster?.stop(),
    create: (request) => made.create(made.addresses(running()), request),
    ...(processModule === undefined ? {} : { processModule }),
    processEnv: () => ({ [made.variable]: made.addresses(running()) }),
    faults,
    survivesKill: true,
    ...(budget && { budget }),
  };
}

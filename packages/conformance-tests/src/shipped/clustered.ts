import type { EventBus } from '@omnibus/core';

import { brokerInfoOf, type ConformanceSubject, type CreateRequest } from '../subject.js';
import { type BrokerControl, processFaults } from './broker-control.js';

/** A cluster that was started for tests. */
export interface StartedCluster extends BrokerControl {
  readonly version: string;
  node(index: number): BrokerControl;
  stop(): Promise<void>;
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
  const { name, capabilities, processModule, budget } = made.subject;
  let cluster: Cluster | undefined;
  const running = (): Cluster => {
    if (!cluster) throw new Error('the cluster is not started');
    return cluster;
  };
  return {
    name,
    broker: async () => {
      const info = await brokerInfoOf(made.subject);
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
    faults: {
      ...processFaults(running),
      nodes: Array.from({ length: made.nodes }, (_, index) => processFaults(() => running().node(index))),
    },
    survivesKill: true,
    ...(budget && { budget }),
  };
}

import { randomUUID } from 'node:crypto';
import type { ContainerRuntimeClient, WaitStrategy } from 'testcontainers';

const CLUSTER_LABEL = 'omnibus.test-brokers.cluster';

/** The containers of one broker, found again by a label, also those whose start failed half-way. */
export interface DockerCluster {
  readonly labels: Readonly<Record<string, string>>;
  /** Ends and removes every one of them. */
  remove(): Promise<void>;
}

/** Makes the label for the containers of one broker. */
export function dockerCluster(client: ContainerRuntimeClient): DockerCluster {
  const id = randomUUID();
  const filters = { label: [`${CLUSTER_LABEL}=${id}`] };
  return {
    labels: { [CLUSTER_LABEL]: id },
    remove: async () => {
      const found = await client.container.dockerode.listContainers({ all: true, filters });
      await Promise.all(found.map(({ Id }) => client.container.getById(Id).remove({ force: true, v: true })));
    },
  };
}

/** Readiness is awaited by asking the broker, in the same way for every provider. */
export const READY_AT_ONCE: WaitStrategy = {
  waitUntilReady: async () => {},
  withStartupTimeout: () => READY_AT_ONCE,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 0,
};

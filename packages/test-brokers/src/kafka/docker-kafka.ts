import type { ContainerRuntimeClient, StartedNetwork } from 'testcontainers';
import { allSettled } from '../all-settled.js';
import type { Offer } from '../choose-provider.js';
import { BrokerContainer } from '../docker-container.js';
import { dockerWithImage } from '../docker-engine.js';
import { messageOf } from '../errors.js';
import { LogRing } from '../log-ring.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper } from '../reaper.js';
import { newClusterId } from './cluster-id.js';
import { layOutContainers } from './docker-layout.js';
import { DockerNode } from './docker-node.js';
import { clientListeners, type KafkaCluster } from './kafka-cluster.js';
import { removeContainers, startNodeContainer } from './kafka-container.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { makeTlsFiles } from './kafka-tls.js';
import { awaitMembership, directAddress } from './membership.js';

const START_ATTEMPTS = 3;
const PORT_TAKEN = /port is already allocated|address already in use/i;

/** Kafka in containers of the official image. */
export async function offerDocker(options: ResolvedKafkaOptions): Promise<Offer<KafkaCluster>> {
  const image = `apache/kafka:${options.version}`;
  const docker = await dockerWithImage(image, options.report);
  if (!docker.available) return docker;
  return {
    available: true,
    reason: `a Docker engine answers and has ${image}`,
    start: () => startContainers(options, image, docker.client),
  };
}

async function startContainers(
  options: ResolvedKafkaOptions,
  image: string,
  client: ContainerRuntimeClient,
): Promise<KafkaCluster> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options, image, client);
    } catch (error) {
      if (attempt === START_ATTEMPTS || !PORT_TAKEN.test(messageOf(error))) throw error;
      options.report(`Kafka ${options.version}: a port was taken meanwhile; starting again with others`);
    }
  }
}

async function startOnce(
  options: ResolvedKafkaOptions,
  image: string,
  client: ContainerRuntimeClient,
): Promise<KafkaCluster> {
  const { host } = client.info.containerRuntime;
  const reaper = await openReaper('kafka');
  const ports = await reservePorts(options.nodes * (clientListeners(options).length + 1));
  const network = options.nodes === 1 ? undefined : await startNetwork();
  const clusterId = newClusterId();
  const release = async (): Promise<void> => {
    await removeContainers(client, clusterId);
    await network?.stop();
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const tls = await makeTlsFiles(options, reaper.folder, [LOOPBACK, 'localhost', host]);
    const layouts = await layOutContainers(options, ports, host === 'localhost' ? LOOPBACK : host);
    const cluster = { options, image, client, network, tls: tls?.broker, clusterId };
    const nodes = await allSettled(
      layouts.map(async (layout) => {
        const log = new LogRing();
        const container = new BrokerContainer(await startNodeContainer(cluster, layout), log);
        await container.follow(0);
        const address = directAddress(layout);
        return new DockerNode({ id: layout.nodeId, container, directAddress: address, options, log });
      }),
    );
    await Promise.all(nodes.map((node) => node.start()));
    await awaitMembership(layouts, options);
    return { nodes, layouts, tls: tls?.material, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function startNetwork(): Promise<StartedNetwork> {
  const { Network } = await import('testcontainers');
  return new Network().start();
}

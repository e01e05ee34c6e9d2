import type { ContainerRuntimeClient, StartedNetwork } from 'testcontainers';
import { noNodeRuns } from '../administration.js';
import { allSettled } from '../all-settled.js';
import type { Offer } from '../choose-provider.js';
import { dockerCluster } from '../docker-cluster.js';
import { BrokerContainer, type Container } from '../docker-container.js';
import { dockerWithImage } from '../docker-engine.js';
import { DockerNode } from '../docker-node.js';
import { withFreePorts } from '../free-ports.js';
import { LogRing } from '../log-ring.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper } from '../reaper.js';
import { newClusterId } from './cluster-id.js';
import { type ContainerLayout, layOutContainers } from './docker-layout.js';
import { clientListeners, type KafkaCluster } from './kafka-cluster.js';
import { runToolInContainer, startNodeContainer } from './kafka-container.js';
import { nodeName, type ResolvedKafkaOptions } from './kafka-options.js';
import { makeKafkaSecrets } from './kafka-secrets.js';
import { awaitMembership, directAddress, probeNode } from './membership.js';

/** Kafka in containers of the official image. */
export async function offerDocker(options: ResolvedKafkaOptions): Promise<Offer<KafkaCluster>> {
  if (options.written) return { available: false, reason: 'a written configuration is for processes' };
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
  return withFreePorts(`Kafka ${options.version}`, options.report, () => startOnce(options, image, client));
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
  const containers = dockerCluster(client);
  const release = async (): Promise<void> => {
    await containers.remove();
    await network?.stop();
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const secrets = await makeKafkaSecrets(options, reaper.folder, [LOOPBACK, 'localhost', host]);
    const layouts = await layOutContainers(options, ports, host === 'localhost' ? LOOPBACK : host);
    const { labels } = containers;
    const clusterId = newClusterId();
    const cluster = { options, image, client, network, labels, secrets, clusterId };
    const started = await allSettled(
      layouts.map(async (layout) => {
        const container = await startNodeContainer(cluster, layout);
        return { container, node: await kafkaNode(options, layout, container) };
      }),
    );
    const nodes = started.map(({ node }) => node);
    await Promise.all(nodes.map((node) => node.start()));
    await awaitMembership(layouts, options);
    return {
      nodes,
      layouts,
      tls: secrets.tls?.material,
      tokens: secrets.tokens,
      administer: async (command) => {
        const running = started.find(({ node }) => node.state === 'running');
        if (running === undefined) throw noNodeRuns('Kafka');
        return runToolInContainer(client, running.container, layouts, command);
      },
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function kafkaNode(
  options: ResolvedKafkaOptions,
  layout: ContainerLayout,
  started: Container,
): Promise<DockerNode> {
  const { nodeId } = layout;
  const log = new LogRing();
  const container = new BrokerContainer(started, log);
  await container.follow(0);
  return new DockerNode({
    id: nodeId,
    name: `${nodeName(options, nodeId)} in Docker`,
    probe: () => probeNode(directAddress(layout), nodeId),
    startTimeoutMs: options.startTimeoutMs,
    report: options.report,
    container,
    log,
  });
}

async function startNetwork(): Promise<StartedNetwork> {
  const { Network } = await import('testcontainers');
  return new Network().start();
}

import type { ContainerRuntimeClient, StartedTestContainer } from 'testcontainers';
import { allSettled } from '../all-settled.js';
import type { Offer } from '../choose-provider.js';
import { type DockerCluster, dockerCluster, READY_AT_ONCE } from '../docker-cluster.js';
import { dockerWithImage } from '../docker-engine.js';
import { withFreePorts } from '../free-ports.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper } from '../reaper.js';
import { type PlannedNode, planNodes, portsNeeded } from './plan.js';
import { assemble, type RedisAssembly } from './redis-assembly.js';
import type { RedisSecrets } from './redis-config.js';
import {
  CONTAINER_FOLDER,
  CONTAINER_TLS,
  type ContainerHost,
  startRedisContainer,
} from './redis-container.js';
import type { RedisServerName, ResolvedRedisOptions } from './redis-options.js';
import { makeSecrets } from './redis-secrets.js';

const IMAGES: Readonly<Record<RedisServerName, string>> = {
  'redis-7': 'redis:7',
  'redis-8': 'redis:8',
  'valkey-8': 'valkey/valkey:8',
};

/** Redis in containers of the official image. */
export async function offerDocker(options: ResolvedRedisOptions): Promise<Offer<RedisAssembly>> {
  const { binary, unixSocket, topology, server = 'redis-8', report } = options;
  if (binary !== undefined) return declined('a binary of this machine was asked for');
  if (unixSocket) return declined('a Unix socket is not reached from outside a container');
  const image = IMAGES[server];
  const docker = await dockerWithImage(image, report);
  if (!docker.available) return docker;
  const { host } = docker.client.info.containerRuntime;
  if (topology !== 'single' && host !== 'localhost') {
    return declined(
      'the Docker engine is on another machine, where nodes cannot announce an address for both',
    );
  }
  const program = server === 'valkey-8' ? 'valkey-server' : 'redis-server';
  return {
    available: true,
    reason: `a Docker engine answers and has ${image}`,
    start: () =>
      withFreePorts(image, report, () => startContainers(options, { client: docker.client, image, program })),
  };
}

function declined(reason: string): Offer<never> {
  return { available: false, reason };
}

interface Image {
  readonly client: ContainerRuntimeClient;
  readonly image: string;
  readonly program: string;
}

async function startContainers(
  options: ResolvedRedisOptions,
  { client, image, program }: Image,
): Promise<RedisAssembly> {
  const { host } = client.info.containerRuntime;
  const reaper = await openReaper('redis');
  const ports = await reservePorts(portsNeeded(options));
  const containers = dockerCluster(client);
  const release = async (): Promise<void> => {
    await containers.remove();
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const { admin, tls } = await makeSecrets(options, reaper.folder, host);
    const secrets: RedisSecrets = { admin, tls: tls && CONTAINER_TLS };
    const place = {
      bind: '0.0.0.0',
      host: host === 'localhost' ? LOOPBACK : host,
      ports,
      folderOf: (label: string) => `${CONTAINER_FOLDER}/${label}`,
      socketPath: undefined,
    };
    const plan = planNodes(options, place, secrets);
    const holder = await startNetworkHolder(image, plan, containers);
    const where: ContainerHost = {
      options,
      client,
      image,
      program,
      secrets,
      tls: tls?.broker,
      holder,
      containers,
    };
    const nodes = await allSettled(plan.map((planned) => startRedisContainer(where, planned)));
    await Promise.all(nodes.map((node) => node.start()));
    return assemble({ plan, nodes, secrets, tls: tls?.material, release });
  } catch (error) {
    await release();
    throw error;
  }
}

// Nodes tell each other and clients one address. All share the network of a container that does nothing else,
// and each port is published as the same number: an address of this machine's loopback then means the same node
// inside and outside.
async function startNetworkHolder(
  image: string,
  plan: readonly PlannedNode[],
  { labels }: DockerCluster,
): Promise<StartedTestContainer> {
  const { GenericContainer } = await import('testcontainers');
  const ports = plan.flatMap(({ layout: { port, tlsPort } }) => (tlsPort ? [port, tlsPort] : [port]));
  return new GenericContainer(image)
    .withEntrypoint(['sleep', 'infinity'])
    .withLabels(labels)
    .withExposedPorts(...ports.map((port) => ({ container: port, host: port })))
    .withWaitStrategy(READY_AT_ONCE)
    .start();
}

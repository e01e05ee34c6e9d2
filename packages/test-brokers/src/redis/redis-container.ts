import { readFile } from 'node:fs/promises';
import type { ContainerRuntimeClient, StartedTestContainer } from 'testcontainers';
import { type DockerCluster, READY_AT_ONCE } from '../docker-cluster.js';
import { BrokerContainer } from '../docker-container.js';
import { DockerNode } from '../docker-node.js';
import { LogRing } from '../log-ring.js';
import { type BrokerTlsFiles, brokerTlsFilesIn, pathsOf } from '../tls-files.js';
import type { PlannedNode } from './plan.js';
import { CONFIG_FILE, type RedisSecrets } from './redis-config.js';
import { probeFor, redisNode, targetOf } from './redis-node.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import type { RedisNode } from './running-redis.js';

/** Where the folders of nodes are in their containers. */
export const CONTAINER_FOLDER = '/omnibus';

/** Where the TLS files are in a container. */
export const CONTAINER_TLS: BrokerTlsFiles = brokerTlsFilesIn(CONTAINER_FOLDER);

/** What the containers of one Redis have in common. */
export interface ContainerHost {
  readonly options: ResolvedRedisOptions;
  readonly client: ContainerRuntimeClient;
  readonly image: string;
  readonly program: string;
  readonly secrets: RedisSecrets;
  /** The TLS files on this machine, which are copied into every container. */
  readonly tls: BrokerTlsFiles | undefined;
  /** Whose network the nodes share. */
  readonly holder: StartedTestContainer;
  readonly containers: DockerCluster;
}

/** Starts the container of a node; it may not serve yet. */
export async function startRedisContainer(host: ContainerHost, planned: PlannedNode): Promise<RedisNode> {
  const { GenericContainer } = await import('testcontainers');
  const { options, client, image, program, secrets, holder, containers } = host;
  const { layout, role, label } = planned;
  const configPath = `${layout.folder}/${CONFIG_FILE}`;
  const sentinel = role === 'sentinel' ? ['--sentinel'] : [];
  const started = await new GenericContainer(image)
    .withEntrypoint([program, configPath, ...sentinel])
    .withLabels(containers.labels)
    .withNetworkMode(`container:${holder.getId()}`)
    .withCopyContentToContainer(await filesOf(host, planned, configPath))
    .withWaitStrategy(READY_AT_ONCE)
    .start();
  const log = new LogRing();
  const container = new BrokerContainer(client.container.getById(started.getId()), log);
  await container.follow(0);
  const target = targetOf(planned, secrets);
  const node = new DockerNode({
    id: layout.nodeId,
    name: `${image} in Docker${options.topology === 'single' ? '' : `, ${label}`}`,
    probe: probeFor(planned, target, configPath),
    startTimeoutMs: options.startTimeoutMs,
    report: options.report,
    container,
    log,
  });
  return redisNode(node, layout, target);
}

async function filesOf(
  { secrets, tls }: ContainerHost,
  { config }: PlannedNode,
  configPath: string,
): Promise<{ target: string; content: string }[]> {
  const files = [{ target: configPath, content: config }];
  if (tls === undefined || secrets.tls === undefined) return files;
  const targets = pathsOf(secrets.tls);
  for (const [index, path] of pathsOf(tls).entries()) {
    files.push({ target: targets[index] ?? path, content: await readFile(path, 'utf8') });
  }
  return files;
}

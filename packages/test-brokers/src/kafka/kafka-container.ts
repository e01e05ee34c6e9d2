import { readFile } from 'node:fs/promises';
import type { ContainerRuntimeClient, StartedNetwork } from 'testcontainers';
import { toolOf } from '../administration.js';
import { READY_AT_ONCE } from '../docker-cluster.js';
import type { Container } from '../docker-container.js';
import { pathsOf } from '../tls-files.js';
import { CONTAINER, type ContainerLayout, nameOf } from './docker-layout.js';
import { everyUser, type ResolvedKafkaOptions } from './kafka-options.js';
import type { KafkaSecrets } from './kafka-secrets.js';
import { KAFKA_TOOLS, resultOf, serverArguments } from './kafka-tools.js';
import { listenerJavaArguments, scramArguments } from './listener-settings.js';
import { serverProperties } from './server-properties.js';

/** What the containers of one Kafka have in common. */
export interface ContainerCluster {
  readonly options: ResolvedKafkaOptions;
  readonly image: string;
  readonly client: ContainerRuntimeClient;
  readonly network: StartedNetwork | undefined;
  /** Their files on this machine are copied into every container. */
  readonly secrets: KafkaSecrets;
  readonly labels: Readonly<Record<string, string>>;
  readonly clusterId: string;
}

/** Starts the container of a node; its broker may not serve yet. */
export async function startNodeContainer(
  cluster: ContainerCluster,
  layout: ContainerLayout,
): Promise<Container> {
  const { GenericContainer } = await import('testcontainers');
  const { options, client, network } = cluster;
  const container = new GenericContainer(cluster.image)
    .withEntrypoint(['bash', '-c', script(cluster)])
    .withEnvironment(environment(options))
    .withLabels(cluster.labels)
    .withExposedPorts(...layout.published)
    .withCopyContentToContainer(await files(cluster, layout))
    .withWaitStrategy(READY_AT_ONCE);
  if (network !== undefined) {
    container.withNetwork(network).withNetworkAliases(nameOf(options, layout.nodeId));
  }
  return client.container.getById((await container.start()).getId());
}

/** Runs one of Kafka's scripts in the container of a node that runs. */
export async function runToolInContainer(
  client: ContainerRuntimeClient,
  container: Container,
  layouts: readonly ContainerLayout[],
  command: readonly string[],
): Promise<string> {
  const [tool, args] = toolOf(command, KAFKA_TOOLS);
  const servers = serverArguments(layouts.map(({ internal }) => internal.advertised));
  const script = [`/opt/kafka/bin/${tool}.sh`, ...servers, ...args];
  const { exitCode, output } = await client.container.exec(container, script);
  return resultOf(tool, exitCode, output);
}

// The image's own start-up takes settings from the environment only, and knows neither SCRAM users nor three
// nodes; Kafka's programs in it take the same files as the native ones. Formatting again changes nothing.
function script({ options, clusterId }: ContainerCluster): string {
  const scram = scramArguments(options.listeners, everyUser(options)).map((argument) => `'${argument}'`);
  const format = ['format', '--ignore-formatted', '-t', clusterId, '-c', CONTAINER.propertiesPath, ...scram];
  return [
    'if [ -f /opt/kafka/kafka.jsa ]; then',
    '  KAFKA_JVM_PERFORMANCE_OPTS="$KAFKA_JVM_PERFORMANCE_OPTS -XX:SharedArchiveFile=/opt/kafka/kafka.jsa"',
    'fi',
    `KAFKA_OPTS= /opt/kafka/bin/kafka-storage.sh ${format.join(' ')} || exit 1`,
    `exec /opt/kafka/bin/kafka-server-start.sh ${CONTAINER.propertiesPath}`,
  ].join('\n');
}

function environment({ heapMb, jvmArgs, listeners }: ResolvedKafkaOptions): Record<string, string> {
  return {
    KAFKA_HEAP_OPTS: `-Xmx${heapMb}m`,
    KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto',
    KAFKA_OPTS: [...listenerJavaArguments(listeners, CONTAINER.files), ...jvmArgs].join(' '),
    LOG_DIR: '/tmp/omnibus-logs',
  };
}

async function files(
  { options, secrets }: ContainerCluster,
  layout: ContainerLayout,
): Promise<{ target: string; content: string }[]> {
  const controllers = Array.from(
    { length: options.nodes },
    (_, index) => `${nameOf(options, index + 1)}:${CONTAINER.controller}`,
  );
  const properties = {
    target: CONTAINER.propertiesPath,
    content: serverProperties(options, layout, controllers),
  };
  const copies = await Promise.all(
    secretFiles(secrets).map(async ([path, target]) => ({ target, content: await readFile(path, 'utf8') })),
  );
  return [properties, ...copies];
}

/** Files of this machine, and where they are to be in a container. */
function secretFiles({ tls, tokens, jwksPath }: KafkaSecrets): [path: string, target: string][] {
  const keys: [string, string][] = tokens === undefined ? [] : [[jwksPath, CONTAINER.files.jwksPath]];
  if (tls === undefined) return keys;
  const targets = pathsOf(CONTAINER.files.tls);
  return [
    ...keys,
    ...pathsOf(tls.broker).map((path, index): [string, string] => [path, targets[index] ?? path]),
  ];
}

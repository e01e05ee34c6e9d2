import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allSettled } from '../all-settled.js';
import { withFreePorts } from '../free-ports.js';
import { NativeNode } from '../native-node.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper, type Reaper } from '../reaper.js';
import { newClusterId } from './cluster-id.js';
import { formatStorage } from './format-storage.js';
import { clientListeners, type KafkaCluster } from './kafka-cluster.js';
import { BROKER_CLASS, javaArguments, type KafkaJava } from './kafka-java.js';
import { everyUser, nodeName, type ResolvedKafkaOptions } from './kafka-options.js';
import { type KafkaSecrets, makeKafkaSecrets } from './kafka-secrets.js';
import { runKafkaTool } from './kafka-tools.js';
import { listenerJavaArguments, scramArguments } from './listener-settings.js';
import { awaitMembership, probeNode } from './membership.js';
import { type Endpoint, type NodeLayout, serverProperties } from './server-properties.js';
import { placeOf, probePort, writeAdmin } from './written-place.js';

/** Starts nodes with what is already fetched; again with other ports when these turn out to be taken. */
export async function startKafkaProcesses(
  options: ResolvedKafkaOptions,
  kafka: KafkaJava,
): Promise<KafkaCluster> {
  return withFreePorts(`Kafka ${options.version}`, options.report, () => startOnce(options, kafka));
}

async function startOnce(options: ResolvedKafkaOptions, kafka: KafkaJava): Promise<KafkaCluster> {
  const reaper = await openReaper('kafka');
  const portsPerNode = clientListeners(options).length + 2;
  const ports = await reservePorts(options.nodes * portsPerNode);
  const release = async (): Promise<void> => {
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const secrets = await makeKafkaSecrets(options, reaper.folder, [LOOPBACK, 'localhost']);
    const layouts = await layOut(options, ports, reaper.folder, secrets);
    const nodes = await createNodes(options, kafka, layouts, reaper);
    await Promise.all(nodes.map((node) => node.start()));
    const { written, report } = options;
    const first = placeOf(layouts[0] as NodeLayout, layouts);
    if (!written) await awaitMembership(layouts, options);
    const servers = written ? first.clients : first.brokers;
    const login = written ? await writeAdmin(written, first, reaper.folder) : [];
    const toolbox = { kafka, folder: reaper.folder, reaper, report, servers, login };
    return {
      nodes,
      layouts,
      tls: secrets.tls?.material,
      tokens: secrets.tokens,
      administer: (command) => runKafkaTool(toolbox, command),
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

async function layOut(
  options: ResolvedKafkaOptions,
  ports: readonly number[],
  folder: string,
  { tls, jwksPath }: KafkaSecrets,
): Promise<NodeLayout[]> {
  const free = ports.map((port) => `${LOOPBACK}:${port}`).values();
  const next = (): string => free.next().value ?? '';
  const layouts: NodeLayout[] = [];
  for (let nodeId = 1; nodeId <= options.nodes; nodeId += 1) {
    const internal = next();
    const controllerBind = next();
    const clients: Endpoint[] = [];
    for (const listener of clientListeners(options)) {
      const bind = next();
      const bound = { nodeId, listener, host: LOOPBACK, port: Number(bind.slice(LOOPBACK.length + 1)) };
      clients.push({ listener, bind, advertised: (await options.advertise?.(bound)) ?? bind });
    }
    layouts.push({
      nodeId,
      clients,
      internal: { listener: 'INTERNAL', bind: internal, advertised: internal },
      controllerBind,
      dataFolder: join(folder, `node-${nodeId}`, 'data'),
      files: { tls: tls?.broker, jwksPath },
    });
  }
  return layouts;
}

async function createNodes(
  options: ResolvedKafkaOptions,
  kafka: KafkaJava,
  layouts: readonly NodeLayout[],
  reaper: Reaper,
): Promise<NativeNode[]> {
  const controllers = layouts.map(({ controllerBind }) => controllerBind);
  const clusterId = newClusterId();
  return allSettled(
    layouts.map(async (layout) => {
      const { nodeId } = layout;
      const folder = join(reaper.folder, `node-${nodeId}`);
      const propertiesPath = join(folder, 'server.properties');
      await mkdir(folder);
      const { written } = options;
      const place = placeOf(layout, layouts);
      const properties = written
        ? `${written.server(place)}log.dirs=${layout.dataFolder}\n`
        : serverProperties(options, layout, controllers);
      await writeFile(propertiesPath, properties);
      const formatArguments = written
        ? written.format(place)
        : scramArguments(options.listeners, everyUser(options));
      const storage = { nodeId, clusterId, folder, propertiesPath, kafka, options, formatArguments, reaper };
      await formatStorage(storage);
      return kafkaNode(options, kafka, layout, { folder, propertiesPath, reaper });
    }),
  );
}

function kafkaNode(
  options: ResolvedKafkaOptions,
  kafka: KafkaJava,
  layout: NodeLayout,
  {
    folder,
    propertiesPath,
    reaper,
  }: { readonly folder: string; readonly propertiesPath: string; readonly reaper: Reaper },
): NativeNode {
  const { heapMb, jvmArgs, startTimeoutMs, report } = options;
  const address = layout.clients[0]?.bind ?? layout.internal.bind;
  return new NativeNode({
    id: layout.nodeId,
    name: nodeName(options, layout.nodeId),
    command: kafka.java.command,
    args: javaArguments(kafka, BROKER_CLASS, [propertiesPath], {
      heapMb,
      jvmArgs: [...listenerJavaArguments(options.listeners, layout.files), ...jvmArgs],
      temporaryFolder: join(folder, 'tmp'),
    }),
    probe: () => (options.written ? probePort(address) : probeNode(address, layout.nodeId)),
    folder,
    startTimeoutMs,
    report,
    reaper,
  });
}

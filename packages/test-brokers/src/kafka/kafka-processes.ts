import { join } from 'node:path';
import { allSettled } from '../all-settled.js';
import { messageOf } from '../errors.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper, type Reaper } from '../reaper.js';
import { newClusterId } from './cluster-id.js';
import { clientListeners, type KafkaCluster } from './kafka-cluster.js';
import type { KafkaJava } from './kafka-java.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import { makeTlsFiles, type TlsFiles } from './kafka-tls.js';
import { awaitMembership } from './membership.js';
import { NativeNode } from './native-node.js';
import { type Endpoint, type NodeLayout, serverProperties } from './server-properties.js';

const START_ATTEMPTS = 3;

/** Starts nodes with what is already fetched; again with other ports when these turn out to be taken. */
export async function startKafkaProcesses(
  options: ResolvedKafkaOptions,
  kafka: KafkaJava,
): Promise<KafkaCluster> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(options, kafka);
    } catch (error) {
      if (attempt === START_ATTEMPTS || !/Address already in use|BindException/.test(messageOf(error)))
        throw error;
      options.report(`Kafka ${options.version}: a port was taken meanwhile; starting again with others`);
    }
  }
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
    const tls = await makeTlsFiles(options, reaper.folder, [LOOPBACK, 'localhost']);
    const layouts = await layOut(options, ports, reaper.folder, tls);
    const nodes = createNodes(options, kafka, layouts, reaper);
    const clusterId = newClusterId();
    await allSettled(nodes.map((node) => node.format(clusterId)));
    await Promise.all(nodes.map((node) => node.start()));
    await awaitMembership(layouts, options);
    return { nodes, layouts, tls: tls?.material, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function layOut(
  options: ResolvedKafkaOptions,
  ports: readonly number[],
  folder: string,
  tls: TlsFiles | undefined,
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
      tls: tls?.broker,
    });
  }
  return layouts;
}

function createNodes(
  options: ResolvedKafkaOptions,
  kafka: KafkaJava,
  layouts: readonly NodeLayout[],
  reaper: Reaper,
): NativeNode[] {
  const controllers = layouts.map(({ controllerBind }) => controllerBind);
  return layouts.map(
    (layout) =>
      new NativeNode({
        id: layout.nodeId,
        folder: join(reaper.folder, `node-${layout.nodeId}`),
        properties: serverProperties(options, layout, controllers),
        clientAddress: layout.clients[0]?.bind ?? layout.internal.bind,
        kafka,
        options,
        reaper,
      }),
  );
}

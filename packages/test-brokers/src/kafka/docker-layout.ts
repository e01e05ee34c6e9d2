import { type BrokerTlsFiles, brokerTlsFilesIn } from '../tls-files.js';
import { clientListeners } from './kafka-cluster.js';
import type { ResolvedKafkaOptions } from './kafka-options.js';
import type { ListenerFiles } from './listener-settings.js';
import type { Endpoint, NodeLayout } from './server-properties.js';

/** Where things are inside a container. */
export const CONTAINER: {
  readonly firstClient: number;
  readonly internal: number;
  readonly controller: number;
  readonly direct: number;
  readonly propertiesPath: string;
  readonly dataFolder: string;
  readonly files: ListenerFiles & { readonly tls: BrokerTlsFiles };
} = {
  firstClient: 9092,
  internal: 19092,
  controller: 19093,
  direct: 19094,
  propertiesPath: '/tmp/omnibus/server.properties',
  dataFolder: '/tmp/omnibus-data',
  files: { tls: brokerTlsFilesIn('/tmp/omnibus'), jwksPath: '/tmp/omnibus/jwks.json' },
};

/** Where a node's listeners are in its container, and where they are reached from here. */
export interface ContainerLayout extends NodeLayout {
  readonly published: readonly { readonly container: number; readonly host: number }[];
}

/** Decides addresses and files of every node. */
export async function layOutContainers(
  options: ResolvedKafkaOptions,
  ports: readonly number[],
  host: string,
): Promise<ContainerLayout[]> {
  const free = ports.values();
  const layouts: ContainerLayout[] = [];
  for (let nodeId = 1; nodeId <= options.nodes; nodeId += 1) {
    const published: { container: number; host: number }[] = [];
    const publish = (container: number): number => {
      const port = free.next().value ?? 0;
      published.push({ container, host: port });
      return port;
    };
    const clients: Endpoint[] = [];
    for (const [index, listener] of clientListeners(options).entries()) {
      const inside = CONTAINER.firstClient + index;
      const bound = { nodeId, listener, host, port: publish(inside) };
      const advertised = (await options.advertise?.(bound)) ?? `${host}:${bound.port}`;
      clients.push({ listener, bind: `0.0.0.0:${inside}`, advertised });
    }
    const direct = publish(CONTAINER.direct);
    layouts.push({
      nodeId,
      clients,
      internal: {
        listener: 'INTERNAL',
        bind: `0.0.0.0:${CONTAINER.internal}`,
        advertised: `${nameOf(options, nodeId)}:${CONTAINER.internal}`,
      },
      direct: { listener: 'DIRECT', bind: `0.0.0.0:${CONTAINER.direct}`, advertised: `${host}:${direct}` },
      controllerBind: `0.0.0.0:${CONTAINER.controller}`,
      dataFolder: CONTAINER.dataFolder,
      files: CONTAINER.files,
      published,
    });
  }
  return layouts;
}

/** The name of a node's container in the network of the containers. */
export function nameOf(options: ResolvedKafkaOptions, nodeId: number): string {
  return options.nodes === 1 ? 'localhost' : `kafka-${nodeId}`;
}

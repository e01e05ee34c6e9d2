import { orderPlaced, outcomeOf } from '@omnibus/conformance-tests';
import { type KafkaPlace, type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../scripts/lib/documented-commands.cjs';
import { documentedConfiguration } from '../../../scripts/lib/documented-configuration.cjs';
import { KafkaEventBus, type KafkaEventBusOptions } from '../src/index.js';
import { until } from './support/kafka.js';
import { runCommandsOf } from './support/roles.js';

jest.setTimeout(60_000);

/** Three nodes share two processors at times. */
const STARTING_MS = 300_000;
const NODES = [1, 2, 3] as const;

/** What stands in the place of something in the document. */
type Own = Readonly<Record<string, string>>;

/** The block of `server.properties`, which is that of the node `kafka-1`, for another node at other addresses. */
function serverOf(
  { nodeId, clients, brokers, controllers, certificatePath, caPath }: KafkaPlace,
  changes: Own,
): string {
  return documentedConfiguration('kafka server', {
    ...changes,
    'node.id=1': `node.id=${nodeId}`,
    ...controllersOf(controllers),
    'CLIENTS://:9093': `CLIENTS://${clients[nodeId - 1]}`,
    'BROKERS://:9094': `BROKERS://${brokers[nodeId - 1]}`,
    'CONTROLLERS://:9095': `CONTROLLERS://${controllers[nodeId - 1]}`,
    'CLIENTS://kafka-1:9093': `CLIENTS://${clients[nodeId - 1]}`,
    'BROKERS://kafka-1:9094': `BROKERS://${brokers[nodeId - 1]}`,
    '/etc/kafka/kafka-1.pem': certificatePath,
    '/etc/kafka/ca.pem': caPath,
  });
}

function controllersOf(addresses: readonly string[]): Own {
  return Object.fromEntries(addresses.map((address, index) => [`kafka-${index + 1}:9095`, address]));
}

function formatOf({ controllers }: KafkaPlace, changes: Own): string[] {
  const ids = NODES.map((node) => Buffer.from(`omnibus-node-00${node}`).toString('base64url'));
  const written = documentedConfiguration('kafka format', {
    ...changes,
    ...(controllers.length === 1 ? {} : controllersOf(controllers)),
    ...(controllers.length === 1 ? {} : Object.fromEntries(ids.map((id, index) => [`$ID_${index + 1}`, id]))),
  });
  const [, rest = ''] = /--cluster-id "\$CLUSTER_ID" (.*)/s.exec(written) ?? [];
  return [...rest.matchAll(/'([^']*)'|"([^"]*)"|(--[\w-]+)/g)].map(
    ([, one, two, bare]) => one ?? two ?? bare ?? '',
  );
}

/** What the document says of a cluster with one node. */
const ALONE = {
  server: {
    'kafka-1:9095,kafka-2:9095,kafka-3:9095': 'kafka-1:9095',
    'min.insync.replicas=2': 'offsets.topic.replication.factor=1',
  },
  format: {
    '--initial-controllers "1@kafka-1:9095:$ID_1,2@kafka-2:9095:$ID_2,3@kafka-3:9095:$ID_3"': '--standalone',
  },
};
const NO_CHANGES = { server: {}, format: {} };

describe.each([
  [3, NO_CHANGES],
  [1, ALONE],
] as const)('the configuration in docs/security.md, nodes: %s,', (nodes, changes) => {
  let kafka: RunningKafka;
  let place: KafkaPlace;
  const buses: KafkaEventBus[] = [];

  beforeAll(async () => {
    kafka = await startKafka({
      nodes,
      heapMb: 384,
      startTimeoutMs: 120_000,
      listeners: [{ name: 'CLIENTS', protocol: 'SASL_SSL', mechanisms: ['SCRAM-SHA-512'] }],
      written: {
        commonName: 'kafka-1',
        server: (its) => {
          place = its;
          return serverOf(its, changes.server);
        },
        format: (its) => formatOf(its, changes.format),
        admin: ({ caPath }) =>
          documentedConfiguration('kafka admin', {
            'ssl.truststore.location=ca.pem': `ssl.truststore.location=${caPath}`,
          }),
      },
    });
    for (const command of documentedCommands('kafka topics')) {
      const made = (): Promise<boolean> =>
        kafka.administer([...command, '--replication-factor', String(nodes)]).then(
          () => true,
          () => false,
        );
      await until(`${command.join(' ')}, when all nodes have joined`, made, 60_000);
    }
    for (const role of ['publisher', 'consumer']) await runCommandsOf(role, kafka);
  }, STARTING_MS);
  afterAll(() => kafka.stop());
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.shutdown({ timeoutMs: 0 })));
  });

  function busOf(username: string, options: KafkaEventBusOptions = {}): KafkaEventBus {
    const bus = new KafkaEventBus({
      brokers: kafka.listeners.CLIENTS?.brokers ?? [],
      group: 'billing',
      createTopics: false,
      security: {
        tls: { ca: kafka.tls?.ca ?? '' },
        mechanism: 'SCRAM-SHA-512',
        credentials: { username, password: `${username}-secret` },
      },
      ...options,
    });
    buses.push(bus);
    return bus;
  }

  test('serves from the publisher to the handler', async () => {
    const consumer = busOf('billing');
    const handled: string[] = [];
    consumer.subscribe('OrderPlaced', ({ aggregateId }) => void handled.push(aggregateId));
    await consumer.startConsuming();
    await busOf('publisher').publish(orderPlaced(7));
    await until('the event', () => handled.length > 0);
    expect(handled).toEqual(['order-7']);
  });

  test('lets nobody in with a wrong password', async () => {
    const security = {
      tls: { ca: kafka.tls?.ca ?? '' },
      mechanism: 'SCRAM-SHA-512',
      credentials: { username: 'publisher', password: 'wrong' },
    } as const;
    expect(await outcomeOf(busOf('', { security }).connect())).toBe('AUTHENTICATION');
  });

  test('lets nobody do what no command gave', async () => {
    expect(await outcomeOf(busOf('billing').publish(orderPlaced(8)))).toBe('AUTHORIZATION');
  });

  test('is not taken for another cluster', async () => {
    const security = {
      tls: { ca: kafka.tls?.unknownCa ?? '' },
      mechanism: 'SCRAM-SHA-512',
      credentials: { username: 'publisher', password: 'publisher-secret' },
    } as const;
    expect(await outcomeOf(busOf('', { security }).connect())).toBe('TLS');
  });

  test('lets in nobody without a certificate where brokers and controllers speak to each other', async () => {
    for (const brokers of [place.brokers, place.controllers]) {
      const bus = busOf('', { brokers, security: { tls: { ca: kafka.tls?.ca ?? '' } } });
      expect(await outcomeOf(bus.connect())).toBe('TLS');
    }
  });
});

import { TcpProxy } from '../proxy.js';
import type { BoundListener } from './bound-listener.js';
import type { BrokerControl } from './broker-control.js';
import type { KafkaSubjectOptions, KafkaUnderTest } from './kafka.js';
import { type SecuredKafka, type SecuredKafkaOptions, securedKafka } from './kafka-secured.js';

/** What is asked of whoever starts a Kafka for tests. */
export interface StartKafkaOptions {
  readonly listeners: readonly { readonly name: string; readonly protocol: 'PLAINTEXT' }[];
  /** Tells the address that clients are given for a listener. */
  readonly advertise: (bound: BoundListener) => string | Promise<string>;
}

/** A Kafka that was started for tests. */
export interface StartedKafka extends BrokerControl {
  readonly brokers: readonly string[];
  readonly directBrokers: readonly string[];
  readonly version: string;
  readonly listeners: Readonly<Record<string, { readonly brokers: readonly string[] } | undefined>>;
  stop(): Promise<void>;
}

const PROXIED = 'PROXIED';

/**
 * Options of `kafkaSubject` for a Kafka of one node that is started for the run and can be hurt in every way: as a
 * process, and through a proxy before a listener of its own.
 */
export function startedKafka(
  start: (options: StartKafkaOptions | SecuredKafkaOptions) => Promise<StartedKafka & SecuredKafka>,
): KafkaSubjectOptions {
  return {
    provides: { control: true, proxied: true, survivesKill: true },
    start: () => startWithProxy(start),
    secured: () => securedKafka(start),
  };
}

async function startWithProxy(
  start: (options: StartKafkaOptions) => Promise<StartedKafka>,
): Promise<KafkaUnderTest> {
  let proxy: TcpProxy | undefined;
  const kafka = await start({
    listeners: [{ name: PROXIED, protocol: 'PLAINTEXT' }],
    advertise: async ({ listener, host, port }) => {
      if (listener !== PROXIED) return `${host}:${port}`;
      // Asked again when the ports of the first attempt turned out to be taken.
      await proxy?.close();
      proxy = await TcpProxy.start({ target: { host, port } });
      return `${proxy.host}:${proxy.port}`;
    },
  });
  const { brokers } = kafka.listeners[PROXIED] ?? {};
  if (!brokers || !proxy) throw new Error('Kafka was started without the listener behind the proxy');
  const network = proxy;
  return {
    brokers: kafka.brokers,
    directBrokers: kafka.directBrokers,
    version: kafka.version,
    control: kafka,
    proxied: { brokers, network },
    async stop() {
      await network.close();
      await kafka.stop();
    },
  };
}

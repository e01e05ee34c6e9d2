import { chooseProvider, type Offer, type Provider } from '../choose-provider.js';
import { offerDocker } from './docker-kafka.js';
import { offerEnvironment } from './environment-kafka.js';
import { type KafkaCluster, runningKafka } from './kafka-cluster.js';
import { type KafkaOptions, type ResolvedKafkaOptions, resolveKafkaOptions } from './kafka-options.js';
import { offerNative } from './native-kafka.js';
import type { RunningKafka } from './running-kafka.js';

/**
 * Starts a Kafka and resolves when every node serves. Brokers named in `OMNIBUS_KAFKA_BROKERS` are taken
 * first, then Docker, then processes of this machine (Kafka's jars through Maven); which, and why, is said
 * in a line. Nothing of it outlives this process. It does not keep this process alive either.
 *
 * Fails with `TestBrokerError`: `INVALID_OPTIONS`, `NO_PROVIDER`, `TOOL_MISSING` or `START_FAILED`, the last
 * with the broker's last log lines.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const resolved = resolveKafkaOptions(options);
  const choice = await chooseProvider('Kafka', providers(resolved));
  const begun = performance.now();
  const started = await choice.start();
  const kafka = 'stop' in started ? started : runningKafka(started, resolved, choice);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  resolved.report(`${kafka.describe()}, ready in ${seconds} s`);
  return kafka;
}

function providers(options: ResolvedKafkaOptions): Provider<RunningKafka | KafkaCluster>[] {
  const provider = (
    name: Provider<RunningKafka | KafkaCluster>['name'],
    offer: () => Promise<Offer<RunningKafka | KafkaCluster>>,
  ): Provider<RunningKafka | KafkaCluster> => ({ name, offer });
  return [
    provider('environment', () => offerEnvironment(options)),
    provider('docker', () => offerDocker(options)),
    provider('native', () => offerNative(options)),
  ];
}

import { chooseProvider } from '../choose-provider.js';
import type { Report } from '../report.js';
import { offerDocker } from './docker-kafka.js';
import { offerEnvironment } from './environment-kafka.js';
import { toolJars } from './kafka-jars.js';
import { resolveKafkaOptions } from './kafka-options.js';
import { prepareNativeKafka } from './native-kafka.js';

/**
 * Gets what `startKafka` and `administer` need ahead of the tests, saying what takes long: tools, jars, the
 * archive of classes. Nothing where it would use brokers named in the environment or Docker. A second call finds
 * everything there.
 */
export async function prepareKafka(report?: Report): Promise<void> {
  const options = resolveKafkaOptions(report === undefined ? {} : { report });
  const choice = await chooseProvider<void>('Kafka', [
    {
      name: 'environment',
      offer: async () => ({ ...(await offerEnvironment(options)), start: async () => {} }),
    },
    {
      name: 'docker',
      offer: async () => ({ ...(await offerDocker(options)), start: async () => {} }),
    },
    {
      name: 'native',
      offer: async () => ({
        available: true,
        start: async () => {
          const kafka = await prepareNativeKafka(options.version, options.report);
          await toolJars(kafka, options.report);
        },
      }),
    },
  ]);
  await choice.start();
  options.report(`Kafka ${options.version} is ready to be started: ${choice.name}, since ${choice.reason}`);
}

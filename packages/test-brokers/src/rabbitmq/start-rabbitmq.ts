import { noNodeRuns } from '../administration.js';
import { chooseProvider, type Provider, type ProviderName } from '../choose-provider.js';
import { lifecycleOf, nodeAt } from '../lifecycle.js';
import { LOOPBACK } from '../ports.js';
import { offerEnvironment } from './environment-rabbitmq.js';
import { greet } from './greeting.js';
import { offerNative } from './native-rabbitmq.js';
import {
  type RabbitMQOptions,
  type ResolvedRabbitMQOptions,
  resolveRabbitMQOptions,
} from './rabbitmq-options.js';
import type { RabbitMQAssembly } from './rabbitmq-processes.js';
import type { RabbitMQTls, RunningRabbitMQ } from './running-rabbitmq.js';

const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Starts a RabbitMQ and resolves when every node serves. The one named in `OMNIBUS_RABBITMQ_URLS` is taken first, then
 * processes of this machine; which, and why, is said in a line. Nothing of it outlives this process. It does not keep
 * this process alive either.
 *
 * Fails with `TestBrokerError`: `INVALID_OPTIONS`, `NO_PROVIDER`, `TOOL_MISSING` or `START_FAILED`, the last with the
 * broker's last log lines.
 */
export async function startRabbitMQ(options: RabbitMQOptions = {}): Promise<RunningRabbitMQ> {
  const resolved = resolveRabbitMQOptions(options);
  const providers: Provider<RunningRabbitMQ | RabbitMQAssembly>[] = [
    { name: 'environment', offer: () => offerEnvironment(resolved) },
    { name: 'native', offer: () => offerNative(resolved) },
  ];
  const choice = await chooseProvider('RabbitMQ', providers);
  const begun = performance.now();
  const started = await choice.start();
  const rabbitmq = 'stop' in started ? started : await running(started, resolved, choice);
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  resolved.report(`${rabbitmq.describe()}, ready in ${seconds} s`);
  return rabbitmq;
}

async function running(
  { nodes, layouts, tls, shown, release }: RabbitMQAssembly,
  { users, configuration }: ResolvedRabbitMQOptions,
  { name: provider, reason }: { readonly name: ProviderName; readonly reason: string },
): Promise<RunningRabbitMQ> {
  const urls = configuration ? [] : nodes.map(({ url }) => url);
  const version = configuration
    ? (await nodeAt('RabbitMQ', nodes, 0).ctl('version')).trim()
    : await greet(urls[0] ?? '', ANSWER_TIMEOUT_MS);
  const { managementPort } = layouts[0] ?? {};
  const tlsUrls = layouts.map(({ tlsPort }) => `amqps://localhost:${tlsPort}`);
  const show: RabbitMQTls['show'] = async (certificate) => {
    await shown?.change(certificate);
    // Nodes keep what they once read.
    const up = nodes.filter(({ state }) => state === 'running');
    await Promise.all(up.map(({ ctl }) => ctl('eval', 'ssl:clear_pem_cache().')));
  };
  const runningTls: RabbitMQTls | undefined = tls && { ...tls, urls: tlsUrls, show };
  return {
    urls,
    managementUrl: managementPort === undefined ? undefined : `http://${LOOPBACK}:${managementPort}`,
    version,
    provider,
    tls: runningTls,
    users,
    nodes,
    node: (index) => nodeAt('RabbitMQ', nodes, index),
    describe: () =>
      `RabbitMQ ${version} at ${(configuration ? tlsUrls : urls).join(', ')}: ${provider}, since ${reason}`,
    ...lifecycleOf({
      product: 'RabbitMQ',
      nodes,
      awaitWhole: async () => {},
      administer: async (command) => {
        const up = nodes.find(({ state }) => state === 'running');
        if (up === undefined) throw noNodeRuns('RabbitMQ');
        return up.administer(command);
      },
      release,
    }),
  };
}

import { TcpProxy } from '../proxy.js';
import type { BrokerControl } from './broker-control.js';
import type { RabbitMQSubjectOptions, RabbitMQUnderTest } from './rabbitmq.js';
import { type SecuredRabbitMQ, type SecuredRabbitMQOptions, securedRabbitMQ } from './rabbitmq-secured.js';

/** A RabbitMQ that was started for tests. */
export interface StartedRabbitMQ extends BrokerControl {
  readonly urls: readonly string[];
  readonly managementUrl: string | undefined;
  readonly version: string;
  node(index: number): { ctl(...args: readonly string[]): Promise<string> };
  stop(): Promise<void>;
}

/** The broker writes the name of a new quorum queue to disk half a second later; killed before, it has lost the queue. */
const WRITE_NAMES =
  '#{names := #{directory_rev := Names}} = ra_system:fetch(quorum_queues), ok = dets:sync(Names).';

/**
 * Options of `rabbitMQSubject` for a RabbitMQ of one node that is started for the run and can be hurt in every way: as a
 * process, and through a proxy before it.
 */
export function startedRabbitMQ(
  start: (
    options: { readonly management: true } | SecuredRabbitMQOptions,
  ) => Promise<StartedRabbitMQ & SecuredRabbitMQ>,
): RabbitMQSubjectOptions {
  return {
    provides: { control: true, proxied: true, survivesKill: true },
    start: () => startWithProxy(start),
    secured: () => securedRabbitMQ(start),
  };
}

async function startWithProxy(
  start: (options: { readonly management: true }) => Promise<StartedRabbitMQ>,
): Promise<RabbitMQUnderTest> {
  const rabbitmq = await start({ management: true });
  const url = rabbitmq.urls[0] ?? '';
  const { hostname: host, port } = new URL(url);
  const network = await TcpProxy.start({ target: { host, port: Number(port) } });
  return {
    url,
    ...(rabbitmq.managementUrl === undefined ? {} : { managementUrl: rabbitmq.managementUrl }),
    version: rabbitmq.version,
    control: {
      pause: () => rabbitmq.pause(),
      resume: () => rabbitmq.resume(),
      down: () => rabbitmq.down(),
      kill: () => rabbitmq.kill(),
      start: () => rabbitmq.start(),
      settle: async () => void (await rabbitmq.node(0).ctl('eval', WRITE_NAMES)),
    },
    proxied: { url: `amqp://${network.host}:${network.port}`, network },
    async stop() {
      await network.close();
      await rabbitmq.stop();
    },
  };
}

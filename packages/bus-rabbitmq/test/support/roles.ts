import { RolePlay } from '@omnibus/conformance-tests';
import type { RunningRabbitMQ } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import { RabbitMQEventBus, type RabbitMQEventBusOptions } from '../../src/index.js';

/** Runs the commands that the document has for a role. */
export async function runCommandsOf(role: string, rabbitmq: RunningRabbitMQ): Promise<void> {
  for (const command of documentedCommands(`rabbitmq ${role}`)) await rabbitmq.administer(command);
}

/** The users of the document, on exchanges and queues that exist; `own`: options of this bus that all of them have. */
export function rolesOn({ tls }: RunningRabbitMQ, own: RabbitMQEventBusOptions = {}): RolePlay {
  if (!tls) throw new Error('no TLS');
  return new RolePlay(
    (username, options) =>
      new RabbitMQEventBus({
        urls: tls.urls,
        createTopology: false,
        presenceIntervalMs: 200,
        security: { tls: { ca: tls.ca }, credentials: { username, password: `${username}-secret` } },
        ...own,
        ...options,
      }),
  );
}

/** Makes what there is to publish to and to consume from. */
export async function deploy(
  rabbitmq: RunningRabbitMQ,
  group: string,
  options: RabbitMQEventBusOptions = {},
): Promise<void> {
  const deployer = rolesOn(rabbitmq, { createTopology: true, ...options });
  await deployer.busOf('deployer', { group }).ensureGroup();
  await deployer.close();
}

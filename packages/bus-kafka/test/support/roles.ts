import { RolePlay } from '@omnibus/conformance-tests';
import type { RunningKafka } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../../scripts/lib/documented-commands.cjs';
import { KafkaEventBus } from '../../src/index.js';

/** Runs the commands that the document has for a role. */
export async function runCommandsOf(role: string, kafka: RunningKafka): Promise<void> {
  for (const command of documentedCommands(`kafka ${role}`)) await kafka.administer(command);
}

/** The users of the document, on topics that exist. */
export function rolesOn(kafka: RunningKafka): RolePlay {
  return new RolePlay(
    (username, options) =>
      new KafkaEventBus({
        brokers: kafka.listeners.CLIENTS?.brokers ?? [],
        createTopics: false,
        sessionTimeoutMs: 6_000,
        heartbeatIntervalMs: 200,
        maxWaitTimeMs: 100,
        security: {
          tls: { ca: kafka.tls?.ca ?? '' },
          mechanism: 'SCRAM-SHA-512',
          credentials: { username, password: `${username}-secret` },
        },
        ...options,
      }),
  );
}

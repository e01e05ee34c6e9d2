import type { Offer } from '../choose-provider.js';
import type { ResolvedRabbitMQOptions } from './rabbitmq-options.js';
import { type RabbitMQAssembly, startRabbitMQProcesses } from './rabbitmq-processes.js';
import { requireRabbitMQ } from './rabbitmq-server.js';

/** RabbitMQ as processes of this machine. */
export async function offerNative(options: ResolvedRabbitMQOptions): Promise<Offer<RabbitMQAssembly>> {
  if (process.platform === 'win32') {
    return { available: false, reason: 'Windows has neither SIGSTOP nor sh; Docker runs there' };
  }
  return {
    available: true,
    start: async () => startRabbitMQProcesses(options, await requireRabbitMQ(options.report)),
  };
}

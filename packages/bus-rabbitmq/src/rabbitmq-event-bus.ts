import { TransportEventBus } from '@omnibus/core/transport';
import { type RabbitMQEventBusOptions, resolveRabbitMQOptions } from './options.js';
import { RabbitMQTransport } from './transport.js';

/**
 * The event bus on RabbitMQ.
 *
 * The constructor checks the options and connects to nothing. Throws one `ConfigurationError` (code `CONFIGURATION`) that
 * lists everything that is wrong with them.
 */
export class RabbitMQEventBus extends TransportEventBus {
  constructor(options: RabbitMQEventBusOptions = {}) {
    const resolved = resolveRabbitMQOptions(options);
    super({ transport: new RabbitMQTransport(resolved), options: resolved });
  }
}

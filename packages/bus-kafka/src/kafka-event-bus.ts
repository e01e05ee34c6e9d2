import { TransportEventBus } from '@omnibus/core/transport';
import { type KafkaEventBusOptions, resolveKafkaOptions } from './options.js';
import { KafkaTransport } from './transport.js';

/**
 * The event bus on Apache Kafka.
 *
 * The constructor checks the options and connects to nothing. Throws one `ConfigurationError` (code `CONFIGURATION`) that
 * lists everything that is wrong with them.
 */
export class KafkaEventBus extends TransportEventBus {
  constructor(options: KafkaEventBusOptions = {}) {
    const resolved = resolveKafkaOptions(options);
    super({ transport: new KafkaTransport(resolved), options: resolved });
  }
}

import {
  type EventBusOptions,
  eventBusChecks,
  eventBusRules,
  type ResolvedEventBusOptions,
} from '../options.js';
import { instance, type RulesFor, resolveWith, text } from '../options-rules.js';
import { TransportEventBus } from '../transport-event-bus.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryTransport } from './memory-transport.js';

/** Options of `InMemoryEventBus`. */
export interface InMemoryEventBusOptions extends EventBusOptions {
  /** Share one to connect buses of one process. @default a broker of its own */
  readonly broker?: MemoryBroker;
  /** Name of the stream on the broker. @default 'events' */
  readonly stream?: string;
}

interface ResolvedInMemoryOptions extends ResolvedEventBusOptions {
  readonly broker: MemoryBroker | undefined;
  readonly stream: string;
}

const rules: RulesFor<ResolvedInMemoryOptions> = {
  ...eventBusRules,
  broker: instance(MemoryBroker),
  stream: text({ default: 'events' }),
};

/** The bus on a `MemoryBroker`: the same engine, hence the same behaviour, as on a real broker. For tests and small programs. */
export class InMemoryEventBus extends TransportEventBus {
  constructor(options: InMemoryEventBusOptions = {}) {
    const resolved = resolveWith(rules, options, eventBusChecks);
    super({
      options: resolved,
      transport: new MemoryTransport(resolved.broker ?? new MemoryBroker(), resolved.stream),
    });
  }
}

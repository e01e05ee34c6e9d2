import type { EventBus } from '@omnibus/core';

import { BROKERS_VARIABLE, createKafkaBus } from './shipped/kafka.js';
import type { CreateRequest } from './subject.js';

/** The factory of Kafka buses for child processes; the brokers are in the environment. */
export function create(request: CreateRequest): Promise<EventBus> {
  return createKafkaBus((process.env[BROKERS_VARIABLE] ?? '').split(','), request);
}

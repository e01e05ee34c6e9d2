import type { EventBus } from '@omnibus/core';

import { createRabbitMQBus, URL_VARIABLE } from './shipped/rabbitmq.js';
import type { CreateRequest } from './subject.js';

/** The factory of RabbitMQ buses for child processes; the broker is in the environment. */
export function create(request: CreateRequest): Promise<EventBus> {
  return createRabbitMQBus(process.env[URL_VARIABLE] ?? '', request);
}

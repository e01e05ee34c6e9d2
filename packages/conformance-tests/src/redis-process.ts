import type { EventBus } from '@omnibus/core';

import { createRedisBus, URL_VARIABLE } from './shipped/redis.js';
import type { CreateRequest } from './subject.js';

/** The factory of Redis buses for child processes; the server is in the environment. */
export function create(request: CreateRequest): Promise<EventBus> {
  return createRedisBus(process.env[URL_VARIABLE] ?? '', request);
}

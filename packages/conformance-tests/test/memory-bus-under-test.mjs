// A bus for child processes: each has a broker of its own, since memory is not shared between processes.
import { InMemoryEventBus } from '@omnibus/core';

export function create({ namespace, group, overrides }) {
  return new InMemoryEventBus({ group, stream: namespace, ...overrides });
}

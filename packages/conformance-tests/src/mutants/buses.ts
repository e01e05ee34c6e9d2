import { randomUUID } from 'node:crypto';

import type { DomainEvent, EventBus, EventHandler, HandlerContext } from '@omnibus/core';

import { pause } from '../poll.js';
import { type Mutant, withChanges } from './mutant.js';

type Body = (event: DomainEvent, context: HandlerContext) => Promise<void>;

/** A bus whose handlers run inside something. */
function handling(bus: EventBus, around: (body: Body, bus: EventBus) => Body): EventBus {
  const bodyOf = (handler: EventHandler): Body => {
    return async (event, context) => {
      await (typeof handler === 'function' ? handler(event, context) : handler.handle(event, context));
    };
  };
  return withChanges(bus, {
    subscribe: (type, handler) => bus.subscribe(type, around(bodyOf(handler as EventHandler), bus)),
    subscribeToAllEvents: (handler) => bus.subscribeToAllEvents(around(bodyOf(handler), bus)),
  });
}

const RETRY_MS = 20;
const LONG_RETRY_MS = 3_000;
const UNBOUNDED_BYTES = 1_000_000_000;

/** A context as it would be in another attempt. */
function attempt(context: HandlerContext, number: number): HandlerContext {
  return withChanges(context, { attempt: number });
}

/** Defects of the engine. */
export const BUS_MUTANTS: readonly Mutant[] = [
  {
    name: 'reorders-on-retry',
    defect: 'acknowledges a failed event and tries it again later, while those behind it go on',
    caughtBy: ['OR05', 'RT02'],
    mutate: () => ({
      bus: (healthy) =>
        handling(healthy, (body) => async (event, context) => {
          const again = async (number: number): Promise<void> => {
            await pause(RETRY_MS);
            await body(event, attempt(context, number)).catch(() => again(number + 1));
          };
          await body(event, context).catch(() => void again(2));
        }),
    }),
  },
  {
    name: 'retries-through-the-shared-stream',
    defect: 'publishes a failed event again, so that every group gets it once more',
    caughtBy: ['FG03'],
    mutate: () => {
      const failures = new Map<string, number>();
      return {
        bus: (healthy) =>
          handling(healthy, (body, bus) => async (event, context) => {
            const key = `${context.group} ${event.eventId}`;
            const before = failures.get(key) ?? 0;
            await body(event, attempt(context, before + 1)).catch(() => {
              failures.set(key, before + 1);
              return bus.publish(event);
            });
          }),
      };
    },
  },
  {
    name: 'blocks-while-it-waits',
    defect: 'waits for the next attempt inside the only handler slot',
    caughtBy: ['RT04', 'OR04'],
    mutate: () => ({
      options: (overrides) => ({ ...overrides, concurrency: 1 }),
      bus: (healthy) =>
        handling(
          healthy,
          (body) => (event, context) =>
            body(event, context).catch(async () => {
              await pause(LONG_RETRY_MS);
              await body(event, attempt(context, context.attempt + 1));
            }),
        ),
    }),
  },
  {
    name: 'retries-once-too-often',
    defect: 'takes the number of retries for the number of attempts after the second',
    caughtBy: ['RT02'],
    mutate: () => ({
      options: (overrides) => ({
        ...overrides,
        retry: { ...overrides.retry, maxRetries: (overrides.retry?.maxRetries ?? 3) + 1 },
      }),
    }),
  },
  {
    name: 'shares-one-group',
    defect: 'puts the members of all groups into one',
    caughtBy: ['FG01', 'FG03'],
    mutate: () => ({
      options: ({ group: _, ...overrides }) =>
        overrides.ephemeralGroup ? overrides : { ...overrides, group: 'shared' },
    }),
  },
  {
    name: 'forgets-the-key',
    defect: 'orders events by nothing at all',
    caughtBy: ['OR01', 'CT04'],
    mutate: () => ({ options: (overrides) => ({ ...overrides, partitionKey: () => randomUUID() }) }),
  },
  {
    name: 'takes-without-bound',
    defect: 'ignores how much may be in flight',
    caughtBy: ['ST04', 'LD02'],
    mutate: () => ({ options: ({ maxInFlight: _, ...overrides }) => overrides }),
  },
  {
    name: 'closes-without-waiting',
    defect: 'gives its handlers no time to finish when it closes',
    caughtBy: ['LC02'],
    mutate: () => ({
      bus: (healthy) => withChanges(healthy, { shutdown: () => healthy.shutdown({ timeoutMs: 0 }) }),
    }),
  },
  {
    name: 'keeps-unsubscribed-handlers',
    defect: 'says that a handler is gone and calls it all the same',
    caughtBy: ['SU05'],
    mutate: () => ({
      bus: (healthy) =>
        withChanges(healthy, { unsubscribe: () => true, unsubscribeFromAllEvents: () => true }),
    }),
  },
  {
    name: 'is-always-healthy',
    defect: 'says that it is healthy while the broker is down',
    caughtBy: ['ST05'],
    mutate: () => ({
      bus: (healthy) =>
        withChanges(healthy, {
          health: async () => {
            const { reason: _, ...health } = await healthy.health();
            return { ...health, healthy: true };
          },
        }),
    }),
  },
  {
    name: 'hides-redeliveries',
    defect: 'says of every delivery that it is the first',
    caughtBy: ['FA08'],
    mutate: () => ({
      bus: (healthy) =>
        handling(
          healthy,
          (body) => (event, context) => body(event, withChanges(context, { redelivered: false })),
        ),
    }),
  },
  {
    name: 'buffers-without-bound',
    defect: 'keeps whatever is published while the broker is away',
    caughtBy: ['FA07'],
    mutate: () => ({
      options: (overrides) => ({
        ...overrides,
        publish: { ...overrides.publish, maxBufferedBytes: UNBOUNDED_BYTES },
      }),
    }),
  },
  {
    name: 'quotes-its-options',
    defect: 'says in its errors what wrong options were given',
    caughtBy: ['SE04'],
    mutate: () => ({
      options: (overrides) => {
        if ('password' in overrides) throw new Error(`unknown options: ${JSON.stringify(overrides)}`);
        return overrides;
      },
    }),
  },
  {
    name: 'cuts-keys-at-a-colon',
    defect: 'takes a sign in a key for the end of it',
    caughtBy: ['SE05'],
    mutate: () => ({
      options: (overrides) => ({
        ...overrides,
        partitionKey: ({ aggregateId }) => aggregateId.split(':')[0] ?? '',
      }),
    }),
  },
  {
    name: 'takes-types-for-patterns',
    defect: 'gives a handler of `order.*` every type that begins so',
    caughtBy: ['SE05'],
    mutate: () => ({
      bus: (healthy) =>
        withChanges(healthy, {
          subscribe: (type, handler) => {
            const begin = String(type).split('*')[0] ?? '';
            if (!String(type).endsWith('.*')) return healthy.subscribe(type, handler);
            healthy.subscribeToAllEvents((event, context) => {
              if (!event.eventType.startsWith(begin)) return undefined;
              return typeof handler === 'function'
                ? (handler as Body)(event, context)
                : (handler as { handle: Body }).handle(event, context);
            });
          },
        }),
    }),
  },
];

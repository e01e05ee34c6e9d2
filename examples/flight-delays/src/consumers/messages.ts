import type { BusConnection } from '../create-bus.js';
import type { HandlerRun } from '../handler-run.js';
import type { BusCounters } from './counters.js';

/** What the demo tells a consumer process. */
export type ToConsumer =
  | {
      readonly type: 'start';
      readonly name: string;
      readonly connection: BusConnection;
      readonly repaired: boolean;
    }
  | { readonly type: 'repair' }
  | { readonly type: 'stop' };

/** What a consumer process tells the demo. */
export type FromConsumer =
  | { readonly type: 'ready' }
  | { readonly type: 'run'; readonly run: HandlerRun }
  | { readonly type: 'repaired' }
  | { readonly type: 'stopped'; readonly counters: readonly BusCounters[] }
  | { readonly type: 'failed'; readonly message: string };

import type { EventBusOptions } from '@omnibus/core';

/** What is asked of `create`. */
export interface CreateRequest {
  /** Prefix of everything the bus creates on the broker: letters, digits and dashes, at most 40 characters. */
  readonly namespace: string;
  /** The consumer group. */
  readonly group: string;
  /** Options that the test is about; they win over the factory's own. */
  readonly overrides: BusOverrides;
  /** Leave out what the factory sets only to make tests quick: the test is about what users get. @default false */
  readonly asShipped?: boolean;
}

/**
 * Options that every bus has. To be spread into the options of the bus as they are: some tests send wrong ones, or
 * unknown ones, on purpose. With `ephemeralGroup` the factory must leave `group` out.
 */
export type BusOverrides = EventBusOptions & Readonly<Record<string, unknown>>;

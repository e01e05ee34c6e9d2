import type { ErrorCode, EventBus } from '@omnibus/core';
import type { BusOverrides, CreateRequest } from '../create-request.js';
import type { NetworkFaults } from '../network-faults.js';

/** What a client can get wrong when it knocks at a door. */
export type WrongKey =
  | 'wrong password'
  | 'no credentials'
  | 'unknown authority'
  | 'expired certificate'
  | 'wrong name'
  | 'no client certificate'
  | 'client certificate of an unknown authority'
  | 'expired client certificate';

/** What a user of a bus is allowed to use. */
export type Right = 'stream' | 'group' | 'dead letters';

/** Takes back what was done. */
export type Undo = () => Promise<void>;

/** Where a right is taken away, and where it must stay. */
export interface Where {
  readonly namespace: string;
  readonly group: string;
  /** Another namespace of the same user. */
  readonly elsewhere: string;
}

/** How a client knocks that must not be let in. */
export interface WrongAttempt {
  /** Options that take the place of the right ones. */
  readonly overrides: BusOverrides;
  /** What the bus must say. */
  readonly code: ErrorCode;
  /** Makes the broker's side wrong for as long as it lasts, for example its certificate. @default nothing */
  arrange?(): Promise<Undo>;
}

/**
 * One way in: what a listener of the broker speaks, and how its clients prove who they are. Everything that `create` makes
 * goes through `network`.
 */
export interface Door {
  /** As the broker's documentation calls it: `SASL_SSL`, `amqps`. */
  readonly protocol: string;
  /** `none`, `certificate`, `SCRAM-SHA-512`. */
  readonly mechanism: string;
  readonly network: NetworkFaults;
  /** A bus that gets in. What the request overrides wins. */
  create(request: CreateRequest): EventBus | Promise<EventBus>;
  readonly wrong: Readonly<Partial<Record<WrongKey, WrongAttempt>>>;
  /** Takes rights from the user who comes by this door, each until it is undone. What is not in here cannot be taken. */
  readonly deny?: Readonly<Partial<Record<Right, (where: Where) => Promise<Undo>>>>;
  /** Lets the user in no more, until it is undone. Open connections may stay. */
  readonly revoke?: () => Promise<Undo>;
  /** Gives the user another secret. Buses made by `create` are told by their function for credentials. */
  readonly rotate?: () => Promise<Undo>;
}

/** A broker that authenticates and encrypts, with all its doors. */
export interface SecuredBroker {
  readonly doors: readonly Door[];
}

/** How to get one. */
export interface Secured {
  /** Called by every test that needs it; may be the same each time, and goes with the subject's `teardown`. */
  open(): Promise<SecuredBroker>;
}

/** What an adapter is written with: the SPI, the bus that runs on it, and the rules for options. */
export * from './credentials.js';
export { deadLetterRetries } from './dead-letter-record.js';
export { type Deferred, deferred, delay, reconnectDelayMs, within } from './delay.js';
export { Durability } from './durability.js';
export { Elapsed } from './elapsed.js';
export {
  BusError,
  busClosed,
  busErrorOf,
  ConfigurationError,
  type ConfigurationProblem,
  isBusError,
  isConnectionTrouble,
  unsupported,
} from './errors.js';
export { GroupCommit, type GroupCommitParts } from './group-commit.js';
export { MemoryTransport } from './memory/memory-transport.js';
export { mergeOrdered } from './merge-ordered.js';
export { OncePer } from './once-per.js';
export { type Openable, type OpenPatience, openPatiently } from './open-patiently.js';
export {
  type EventBusOptions,
  eventBusChecks,
  eventBusRules,
  type ResolvedEventBusOptions,
  resolveEventBusOptions,
} from './options.js';
export * from './options-pem.js';
export * from './options-rules.js';
export * from './options-security.js';
export * from './options-tls.js';
export { Outages } from './outages.js';
export { partitionOf } from './partition.js';
export { type Patience, patiently } from './patiently.js';
export { printable, quoted } from './printable.js';
export { backoffDelayMs } from './retry.js';
export { RunningConsumers, type StartableConsumption } from './running-consumers.js';
export { Secret } from './secret.js';
export { type Clock, systemClock } from './timers.js';
export { tlsTrouble } from './tls-trouble.js';
export type * from './transport.js';
export { TransportEventBus, type TransportEventBusParts } from './transport-event-bus.js';

export { type EventCodec, jsonCodec } from './codec.js';
export { type DefineEventOptions, defineEvent, type EventOf } from './define-event.js';
export {
  BusError,
  type BusErrorOptions,
  ConfigurationError,
  type ConfigurationProblem,
  ERROR_CODES,
  type ErrorCode,
  isBusError,
  NonRetryableError,
  PublishError,
  type PublishFailure,
} from './errors.js';
export { createEvent, type DomainEvent, type EventDefinition, type NewEvent } from './event.js';
export type {
  CausedEvent,
  DeadLetter,
  DeadLetterFilter,
  DeadLetterQueue,
  DeadLetterReason,
  EventBus,
  EventBusStats,
  EventHandler,
  EventHandlerFunction,
  EventHandlerObject,
  EventSubscriber,
  EventTypeOf,
  HandlerContext,
  Health,
  HistoryPositions,
  Lag,
  LatencyStats,
  PublishOptions,
  ReplayOptions,
  ReplayReport,
  ShutdownOptions,
  ShutdownReport,
} from './event-bus.js';
export { InMemoryEventBus, type InMemoryEventBusOptions } from './memory/in-memory-event-bus.js';
export { MemoryBroker, type MemoryBrokerOptions } from './memory/memory-broker.js';
export type {
  DeadLetterOptions,
  EventBusOptions,
  MeterProviderLike,
  MetricsOptions,
  PublishingOptions,
  RetryOptions,
  TracerProviderLike,
  TracingOptions,
} from './options.js';
export type { StandardIssue, StandardResult, StandardSchema } from './standard-schema.js';
export type { BusState, BusStatus } from './status.js';

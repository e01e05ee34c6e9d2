export { type Behaviour, behave, behaviourOf, block } from './behaviour.js';
export { AREAS, type Area, CATALOGUE, type CatalogueEntry, catalogueEntry, type Level } from './catalogue.js';
export {
  ANOMALIES,
  type Anomaly,
  type AnomalyKind,
  type CheckOptions,
  type CheckReport,
  check,
  explain,
  isClean,
} from './checker.js';
export type { ChildSpec, ConsumerSpec, PublisherSpec, PublishOrder } from './child-protocol.js';
export { monotonicMs } from './clock.js';
export { type ConformanceOptions, conformance, type Runner } from './conformance.js';
export {
  type BusRequest,
  CaseContext,
  type Consumer,
  type ConsumerRequest,
  GROUP,
  type RunFindings,
} from './context.js';
export { type EventsRequest, makeEvent, makeEvents } from './events.js';
export {
  type DeliveryOutcome,
  type DeliveryRecord,
  History,
  type HistoryEntry,
  type HistorySnapshot,
  type PublishOutcome,
  type PublishRecord,
} from './history.js';
export { createNamespaces, type Namespaces } from './namespace.js';
export { type NemesisOptions, nemesisSchedule, runNemesis } from './nemesis/nemesis.js';
export type { FaultRow, GroupRow, NemesisReport } from './nemesis/report.js';
export { FAULT_KINDS, type Fault, type FaultKind, type ScheduledFault } from './nemesis/schedule.js';
export type { NetworkFaults } from './network-faults.js';
export { makePlan, type Plan, type PlannedCase, type Selector, selectIds } from './plan.js';
export { DeadlineError, type Found, type PollOptions, staysTrue, until, within } from './poll.js';
export { Child, type ChildExit, Processes, type ProcessesOptions } from './processes.js';
export { type Address, TcpProxy, type TcpProxyOptions } from './proxy.js';
export {
  type HandlerBody,
  type HandlerLabels,
  type HistorySink,
  recordedHandler,
  recordedPublish,
} from './recorder.js';
export {
  type CapabilityRequirement,
  type ConformanceCase,
  type Lack,
  NotRunError,
  type Requirement,
  type Suite,
  suite,
  type ToolRequirement,
} from './registry.js';
export {
  type CaseOutcome,
  type ConformanceReport,
  type IdResult,
  type IdStatus,
  ReportBuilder,
  writeReport,
} from './report.js';
export { ConformanceRun, type RunOptions } from './run.js';
export type {
  Door,
  Right,
  Secured,
  SecuredBroker,
  Undo,
  WrongAttempt,
  WrongKey,
} from './security/secured.js';
export type { BrokerControl, Provides } from './shipped/broker-control.js';
export type { StartedCluster } from './shipped/clustered.js';
export { kafkaClusterSubject, rabbitMQClusterSubject, redisClusterSubject } from './shipped/clusters.js';
export { type KafkaSubjectOptions, type KafkaUnderTest, kafkaSubject } from './shipped/kafka.js';
export { type StartedKafka, type StartKafkaOptions, startedKafka } from './shipped/kafka-under-test.js';
export { memorySubject } from './shipped/memory.js';
export { type RabbitMQSubjectOptions, type RabbitMQUnderTest, rabbitMQSubject } from './shipped/rabbitmq.js';
export { type StartedRabbitMQ, startedRabbitMQ } from './shipped/rabbitmq-under-test.js';
export { type RedisSubjectOptions, type RedisUnderTest, redisSubject } from './shipped/redis.js';
export { type StartedRedis, startedRedis } from './shipped/redis-under-test.js';
export { Told } from './spi/recording-events.js';
export {
  bodyText,
  consumeSpec,
  type Delivered,
  RecordingSink,
  SinkPartition,
} from './spi/recording-sink.js';
export { record, records, sendAll, uniqueName } from './spi/records.js';
export {
  type BusOfUser,
  type ConsumerPart,
  HOPELESS_ORDERS,
  orderPlaced,
  outcomeOf,
  RolePlay,
} from './spi/role-play.js';
export {
  type BrokerInfo,
  type BrokerSettings,
  type Budget,
  type BusOnGivenClient,
  type BusOverrides,
  type ConformanceSubject,
  type CreateRequest,
  DEFAULT_BUDGET,
  type Faults,
  type Inspect,
  type ProxiedSubject,
  type RawClient,
  type RawRecord,
  type RawSession,
  type RawWrite,
  type SubjectCapabilities,
  type TestTime,
} from './subject.js';
export { SUITES } from './suites/index.js';

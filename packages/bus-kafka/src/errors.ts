import { BusError, isBusError, tlsTrouble } from '@omnibus/core/transport';

/** What kafkajs's errors carry beside the message. */
interface ClientError {
  readonly name?: string;
  readonly message?: string;
  /** Of protocol errors: the name that Kafka gives it. */
  readonly type?: string;
  /** Of connection errors: Node's code. */
  readonly code?: string | number;
  readonly retriable?: boolean;
  readonly broker?: string;
  readonly cause?: unknown;
}

type ErrorCode = BusError['code'];

interface Reason {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  /** What to do about it. */
  readonly hint?: string;
}

const AUTHORIZATION: Reason = { code: 'AUTHORIZATION', hint: 'give the user the ACL it lacks' };
const AUTHENTICATION: Reason = {
  code: 'AUTHENTICATION',
  hint: 'check security.mechanism and security.credentials',
};
const FENCED: Reason = {
  code: 'FENCED',
  hint: 'the group went on without this member; it joins again by itself',
};
const UNSUPPORTED_COMPRESSION: Reason = {
  code: 'UNSUPPORTED',
  hint: 'give a codec for it in compressionCodecs',
};

/** By the name of Kafka's protocol error. Others keep what kafkajs says about retrying. */
const BY_TYPE: Readonly<Record<string, Reason>> = {
  TOPIC_AUTHORIZATION_FAILED: AUTHORIZATION,
  GROUP_AUTHORIZATION_FAILED: AUTHORIZATION,
  CLUSTER_AUTHORIZATION_FAILED: AUTHORIZATION,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: AUTHORIZATION,
  SASL_AUTHENTICATION_FAILED: AUTHENTICATION,
  UNSUPPORTED_SASL_MECHANISM: AUTHENTICATION,
  ILLEGAL_SASL_STATE: AUTHENTICATION,
  UNKNOWN_MEMBER_ID: FENCED,
  ILLEGAL_GENERATION: FENCED,
  FENCED_INSTANCE_ID: FENCED,
  MESSAGE_TOO_LARGE: {
    code: 'PAYLOAD_TOO_LARGE',
    hint: "raise the topic's max.message.bytes and maxRequestBytes, or send less",
  },
  RECORD_LIST_TOO_LARGE: { code: 'PAYLOAD_TOO_LARGE', hint: "raise the topic's segment.bytes, or send less" },
  REQUEST_TIMED_OUT: { code: 'TIMEOUT' },
  UNSUPPORTED_COMPRESSION_TYPE: { code: 'CONFIGURATION', hint: 'the broker does not know this compression' },
  INVALID_TOPIC_EXCEPTION: {
    code: 'CONFIGURATION',
    hint: 'topicPrefix may hold letters, digits, ".", "_" and "-"',
  },
  INVALID_PARTITIONS: { code: 'CONFIGURATION', hint: 'check partitions' },
  INVALID_REPLICATION_FACTOR: {
    code: 'CONFIGURATION',
    hint: 'replicationFactor must not exceed the number of brokers',
  },
  INVALID_CONFIG: { code: 'CONFIGURATION' },
  POLICY_VIOLATION: {
    code: 'CONFIGURATION',
    hint: "the broker's policy forbids it; create the topics by hand and set createTopics: false",
  },
  INVALID_SESSION_TIMEOUT: {
    code: 'CONFIGURATION',
    hint: "sessionTimeoutMs must lie within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms",
  },
  INVALID_GROUP_ID: { code: 'CONFIGURATION', hint: 'check group' },
  INCONSISTENT_GROUP_PROTOCOL: {
    code: 'CONFIGURATION',
    hint: 'consumers of another kind are in this group; choose another group, or stop them first',
  },
  GROUP_MAX_SIZE_REACHED: {
    code: 'CONFIGURATION',
    hint: "the group has as many members as the broker's group.max.size allows",
  },
  UNSUPPORTED_VERSION: {
    code: 'UNSUPPORTED',
    retryable: false,
    hint: 'the broker is too old or too new for kafkajs',
  },
};

/** By the name of kafkajs's error class. */
const BY_NAME: Readonly<Record<string, Reason>> = {
  KafkaJSSASLAuthenticationError: AUTHENTICATION,
  KafkaJSConnectionClosedError: { code: 'CONNECTION_LOST' },
  KafkaJSRequestTimeoutError: { code: 'TIMEOUT' },
  KafkaJSLockTimeout: { code: 'TIMEOUT', retryable: true },
  KafkaJSBrokerNotFound: { code: 'CONNECT' },
  KafkaJSNoBrokerAvailableError: { code: 'CONNECT' },
  KafkaJSGroupCoordinatorNotFound: { code: 'CONNECT', retryable: true },
  KafkaJSServerDoesNotSupportApiKey: {
    code: 'UNSUPPORTED',
    hint: 'the broker is too old or too new for kafkajs',
  },
};

const LOST_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** The one place that turns what kafkajs throws into the bus's errors. `doing` completes "could not …". */
export function toBusError(error: unknown, doing: string): BusError {
  if (isBusError(error)) return error;
  const client = rootOf(error);
  const reason = reasonOf(client);
  const { code, hint } = reason;
  const said = client.message ?? String(error);
  const message = `Could not ${doing}: ${said}${hint === undefined ? '' : ` (${hint})`}`;
  const retryable = reason.retryable ?? (code === 'BROKER' ? client.retriable !== false : undefined);
  return new BusError(code, message, { cause: error, ...(retryable === undefined ? {} : { retryable }) });
}

/** The protocol error's name, however deep kafkajs has wrapped it. */
export function protocolTypeOf(error: unknown): string | undefined {
  return rootOf(error).type;
}

/** kafkajs wraps what it gave up on; the innermost of its errors says what happened. */
function rootOf(error: unknown): ClientError {
  let current = (
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  ) as ClientError;
  for (let depth = 0; depth < 8 && isClientError(current.cause); depth += 1) current = current.cause;
  return current;
}

function isClientError(value: unknown): value is ClientError {
  return typeof value === 'object' && value !== null && 'message' in value;
}

function reasonOf(error: ClientError): Reason {
  const known = (error.type === undefined ? undefined : BY_TYPE[error.type]) ?? BY_NAME[error.name ?? ''];
  if (known) return known;
  if (error.name === 'KafkaJSConnectionError') return connectionReason(error);
  if (error.name === 'KafkaJSNotImplemented' && /compression/i.test(error.message ?? ''))
    return UNSUPPORTED_COMPRESSION;
  return { code: 'BROKER' };
}

function connectionReason({ code, message }: ClientError): Reason {
  const text = String(code ?? '');
  const hint = tlsTrouble(code);
  if (hint !== undefined) return { code: 'TLS', hint };
  if (LOST_CODES.has(text) || message === 'Not connected' || /closed/i.test(message ?? ''))
    return { code: 'CONNECTION_LOST' };
  return { code: 'CONNECT' };
}

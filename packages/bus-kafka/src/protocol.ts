import errors from 'kafkajs/src/protocol/error.js';
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js';
import definitions from 'kafkajs/src/protocol/requests/index.js';
import type { KafkaBroker } from './kafkajs-cluster.js';

/*
 * Requests to one broker, with the answer for every partition.
 *
 * kafkajs's own methods throw the first error of an answer and forget which partition it was for. A bus has to know:
 * one partition that is refused must neither fail the others nor make them be sent again.
 */

/** An answer of partitions, grouped by topic; requests differ in what they call it. */
interface Answer<P> {
  readonly responses?: readonly TopicAnswer<P>[];
  readonly topics?: readonly TopicAnswer<P>[];
}

interface TopicAnswer<P> {
  readonly partitions: readonly P[];
}

/** A request in the newest version that both sides know, and what reads its answer. */
export interface PreparedRequest {
  readonly request: { readonly apiVersion: number; readonly encode: () => Promise<unknown> };
  readonly response: {
    decode(data: Buffer): Promise<unknown>;
    parse(decoded: unknown): Promise<unknown>;
  };
  readonly requestTimeout?: number;
}

/** Kafka's isolation level that hides what a transaction wrote until it is committed. */
export const READ_COMMITTED = 1;

/** The error kafkajs makes of a protocol error code. */
export function protocolError(code: number): Error & { readonly type: string; readonly retriable: boolean } {
  return errors.createErrorFromCode(code);
}

/** Builds a request as kafkajs would. */
export function prepare(broker: KafkaBroker, api: string, args: object): PreparedRequest {
  return broker.lookupRequest(apiKeys[api] as number, definitions.requests[api])(args) as PreparedRequest;
}

/** Sends, and gives what `decode` makes of the answer, errors of partitions included. */
export function exchange<T>(
  broker: KafkaBroker,
  prepared: Pick<PreparedRequest, 'request' | 'requestTimeout'>,
  decode: (data: Buffer) => Promise<T>,
): Promise<T> {
  const response = { decode, parse: (decoded: unknown): Promise<unknown> => Promise.resolve(decoded) };
  return broker.connectionPool.send({ ...prepared, response }) as Promise<T>;
}

/** The decoded answer, errors of partitions included. */
export function call(broker: KafkaBroker, api: string, args: object): Promise<unknown> {
  const prepared = prepare(broker, api, args);
  return exchange(broker, prepared, (data) => prepared.response.decode(data));
}

/** The partitions of an answer about one topic. */
export function partitionsOf<P>(answer: unknown): readonly P[] {
  const { responses, topics } = answer as Answer<P>;
  return (responses ?? topics ?? []).flatMap((topic) => topic.partitions);
}

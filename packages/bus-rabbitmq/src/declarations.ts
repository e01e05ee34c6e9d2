import type { Options } from 'amqplib';
import { groupNames, streamNames } from './names.js';
import type { RabbitMQSettings } from './options.js';

/** One thing that must exist on the broker. */
export type Declaration =
  | {
      readonly kind: 'exchange';
      readonly name: string;
      readonly type: string;
      readonly options: Options.AssertExchange;
    }
  | { readonly kind: 'queue'; readonly name: string; readonly options: Options.AssertQueue }
  | {
      readonly kind: 'binding';
      readonly to: 'queue' | 'exchange';
      readonly name: string;
      readonly source: string;
      readonly pattern: string;
    };

/** A group, as far as its queues are concerned. */
export interface GroupShape {
  readonly name: string;
  readonly ephemeral: boolean;
}

const FOR_GOOD = { ephemeral: false };
/** Quorum queues drop what was returned more often; how often something is delivered is for the journal to say. */
const DELIVERY_LIMIT = 1_000_000;
/** What an ephemeral group leaves behind when its process dies is removed after this. */
const EPHEMERAL_EXPIRES_MS = 300_000;

/**
 * What publishing needs: the exchange, and a way for what carries no partition's suffix.
 *
 * Topic bindings cannot say "none of these". So everything also goes to a second exchange. There, what carries a suffix
 * is bound to that same exchange, which leads nowhere; the rest is unroutable, and so goes to its alternate exchange,
 * which the first partition of every group is bound to.
 */
export function streamTopology(settings: RabbitMQSettings, partitions: number): Declaration[] {
  const names = streamNames(settings.exchange, partitions);
  const all: Declaration[] = [
    { kind: 'exchange', name: names.exchange, type: 'topic', options: {} },
    {
      kind: 'exchange',
      name: names.partitions,
      type: 'topic',
      options: { internal: true, alternateExchange: names.foreign },
    },
    ...numbers(partitions).map((partition): Declaration => {
      const pattern = suffixPattern(partition);
      return { kind: 'binding', to: 'exchange', name: names.partitions, source: names.partitions, pattern };
    }),
    // Last: before it knew all suffixes it would take events of ours for foreign ones.
    { kind: 'binding', to: 'exchange', name: names.partitions, source: names.exchange, pattern: '#' },
  ];
  if (settings.history) {
    all.push(
      { kind: 'queue', name: names.history, options: { arguments: { 'x-queue-type': 'stream' } } },
      { kind: 'binding', to: 'queue', name: names.history, source: names.exchange, pattern: '#' },
    );
  }
  return all;
}

/** What a group needs: its queues, their journals, its dead letters. */
export function groupTopology(
  settings: RabbitMQSettings,
  partitions: number,
  group: GroupShape,
): Declaration[] {
  const stream = streamNames(settings.exchange, partitions);
  const names = groupNames(settings.exchange, group.name, partitions);
  const kept = (extra: Record<string, unknown>): Options.AssertQueue => ({
    arguments: { ...queueArguments(settings, group), ...extra },
  });
  return [
    { kind: 'queue', name: stream.groups, options: { arguments: queueArguments(settings, FOR_GOOD) } },
    { kind: 'exchange', name: stream.deadLetters, type: 'direct', options: {} },
    { kind: 'queue', name: names.deadLetters, options: kept({}) },
    {
      kind: 'binding',
      to: 'queue',
      name: names.deadLetters,
      source: stream.deadLetters,
      pattern: names.deadLetterKey,
    },
    // Ends with the last queue of the last group: what reaches no queue while it is there has lost its queue.
    { kind: 'exchange', name: stream.foreign, type: 'topic', options: { internal: true, autoDelete: true } },
    ...names.journals.map(
      (name): Declaration => ({ kind: 'queue', name, options: kept({ 'x-max-length': 1 }) }),
    ),
    ...names.queues.flatMap((name, partition): Declaration[] => [
      { kind: 'queue', name, options: kept({ 'x-single-active-consumer': true }) },
      { kind: 'binding', to: 'queue', name, source: stream.exchange, pattern: suffixPattern(partition) },
      {
        kind: 'binding',
        to: 'queue',
        name,
        source: stream.foreign,
        // No key with a suffix ever comes here: the others are bound only to keep the exchange.
        pattern: partition === 0 ? '#' : suffixPattern(partition),
      },
    ]),
  ];
}

function queueArguments(
  { queueType }: RabbitMQSettings,
  { ephemeral }: Pick<GroupShape, 'ephemeral'>,
): Record<string, unknown> {
  return {
    'x-queue-type': queueType,
    ...(queueType === 'quorum' ? { 'x-delivery-limit': DELIVERY_LIMIT } : {}),
    ...(ephemeral ? { 'x-expires': EPHEMERAL_EXPIRES_MS } : {}),
  };
}

function suffixPattern(partition: number): string {
  return `#.p${partition}`;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

import { BusError, ConfigurationError } from '@omnibus/core/transport';
import type { Channel, ChannelModel, Options } from 'amqplib';
import { onChannel } from './client.js';
import { isMissing, mismatchOf, toBusError } from './errors.js';
import { groupNames, type StreamNames, streamNames } from './names.js';
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
const FOREIGN = /\.foreign\.(\d+)$/;

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

/** Makes sure that what publishing needs exists. Resolves to the number of partitions that there are. */
export async function ensureStream(model: ChannelModel, settings: RabbitMQSettings): Promise<number> {
  try {
    await apply(model, settings, streamTopology(settings, settings.partitions));
    return settings.partitions;
  } catch (error) {
    const existing = existingPartitions(error, streamNames(settings.exchange, settings.partitions));
    if (existing === undefined) throw error;
    if (existing < settings.partitions) throw tooFew(settings, existing, error);
    await apply(model, settings, streamTopology(settings, existing));
    return existing;
  }
}

/** Makes sure that the group exists. */
export async function ensureGroup(
  model: ChannelModel,
  settings: RabbitMQSettings,
  partitions: number,
  group: GroupShape,
): Promise<void> {
  await apply(model, settings, groupTopology(settings, partitions, group));
}

/** Removes everything that belongs to the group alone. */
export async function removeGroup(
  model: ChannelModel,
  settings: RabbitMQSettings,
  partitions: number,
  group: string,
): Promise<void> {
  const { queues, journals, deadLetters } = groupNames(settings.exchange, group, partitions);
  await onChannel(model, settings.requestTimeoutMs, async (channel) => {
    for (const queue of [...queues, ...journals, deadLetters]) await channel.deleteQueue(queue);
  });
}

/** Partitions of the group whose queues are not there. */
export async function missingQueues(
  model: ChannelModel,
  settings: RabbitMQSettings,
  partitions: number,
  group: string,
): Promise<number[]> {
  const { queues } = groupNames(settings.exchange, group, partitions);
  const missing: number[] = [];
  for (const [partition, queue] of queues.entries()) {
    const isThere = await exists(model, settings.requestTimeoutMs, (channel) => channel.checkQueue(queue));
    if (!isThere) missing.push(partition);
  }
  return missing;
}

/** Whether any group has a queue. */
export async function hasGroups(
  model: ChannelModel,
  settings: RabbitMQSettings,
  partitions: number,
): Promise<boolean> {
  const { foreign } = streamNames(settings.exchange, partitions);
  return exists(model, settings.requestTimeoutMs, (channel) => channel.checkExchange(foreign));
}

/** False when what is looked for is not there. */
export async function exists(
  model: ChannelModel,
  timeoutMs: number,
  check: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  try {
    await onChannel(model, timeoutMs, check);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function apply(
  model: ChannelModel,
  settings: RabbitMQSettings,
  declarations: readonly Declaration[],
): Promise<void> {
  try {
    await onChannel(model, settings.requestTimeoutMs, async (channel) => {
      for (const declaration of declarations) {
        await (settings.createTopology ? declare(channel, declaration) : check(channel, declaration));
      }
    });
  } catch (error) {
    if (!settings.createTopology && isMissing(error)) throw notMade(error);
    throw toBusError(
      error,
      `${settings.createTopology ? 'declare' : 'find'} what ${settings.exchange} needs`,
    );
  }
}

function notMade(cause: unknown): ConfigurationError {
  const found = cause instanceof Error ? cause.message : String(cause);
  return new ConfigurationError(
    [
      {
        path: 'createTopology',
        message: `is false, and something that is needed does not exist: ${found}. Make it, or set createTopology to true`,
      },
    ],
    { cause },
  );
}

async function declare(channel: Channel, declaration: Declaration): Promise<void> {
  if (declaration.kind === 'exchange')
    await channel.assertExchange(declaration.name, declaration.type, {
      durable: true,
      ...declaration.options,
    });
  else if (declaration.kind === 'queue')
    await channel.assertQueue(declaration.name, { durable: true, ...declaration.options });
  else if (declaration.to === 'queue')
    await channel.bindQueue(declaration.name, declaration.source, declaration.pattern);
  else await channel.bindExchange(declaration.name, declaration.source, declaration.pattern);
}

/** Bindings cannot be looked at. */
async function check(channel: Channel, declaration: Declaration): Promise<void> {
  if (declaration.kind === 'exchange') await channel.checkExchange(declaration.name);
  else if (declaration.kind === 'queue') await channel.checkQueue(declaration.name);
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

function existingPartitions(error: unknown, { partitions }: StreamNames): number | undefined {
  const mismatch = mismatchOf(error instanceof BusError ? error.cause : error);
  if (mismatch?.name !== partitions) return undefined;
  const [, digits] = FOREIGN.exec(mismatch.found) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function tooFew(
  { exchange, partitions }: RabbitMQSettings,
  existing: number,
  cause: unknown,
): ConfigurationError {
  return new ConfigurationError(
    [
      {
        path: 'partitions',
        message: `is ${partitions}, but the exchange ${exchange} has ${existing}; nothing was changed. Set partitions to ${existing}, or move to another exchange`,
      },
    ],
    { cause },
  );
}

function suffixPattern(partition: number): string {
  return `#.p${partition}`;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

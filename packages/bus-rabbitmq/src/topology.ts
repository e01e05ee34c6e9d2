import { BusError, ConfigurationError } from '@omnibus/core/transport';
import type { Channel, ChannelModel } from 'amqplib';
import { onChannel } from './client.js';
import { type Declaration, type GroupShape, groupTopology, streamTopology } from './declarations.js';
import { isMissing, mismatchOf, toBusError } from './errors.js';
import { groupNames, type StreamNames, streamNames } from './names.js';
import type { RabbitMQSettings } from './options.js';

const FOREIGN = /\.foreign\.(\d+)$/;

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

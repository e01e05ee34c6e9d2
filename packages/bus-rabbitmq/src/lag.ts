import { delay, type PartitionLag } from '@omnibus/core/transport';
import type { Channel } from 'amqplib';
import { isMissing } from './errors.js';
import type { GroupNames } from './names.js';
import { type PresenceMessage, presenceOf } from './presence.js';

/** Tells what is delivered to the members of a group and not acknowledged. */
export type Held = (partition: number) => number;

/** How long the members may take to say what they hold. */
const ANSWERS_MS = 500;
const POLL_MS = 5;

interface Count {
  readonly ready: number;
  readonly consumers: number;
}

/**
 * What a group has not settled: what waits in its queues, which the broker counts, and what its members hold, which only
 * they know. `held` is what a member of this process knows; without one the members are asked.
 */
export async function lagOf(
  channel: Channel,
  names: GroupNames,
  held: Held | undefined,
): Promise<PartitionLag[]> {
  const counts = await countsOf(channel, names.queues);
  const known = held ?? (await ask(channel, names.members, counts));
  return counts.map(({ ready }, partition) => ({ partition, lag: ready + known(partition) }));
}

async function countsOf(channel: Channel, queues: readonly string[]): Promise<Count[]> {
  const counts: Count[] = [];
  try {
    for (const queue of queues) {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      counts.push({ ready: messageCount, consumers: consumerCount });
    }
    return counts;
  } catch (error) {
    if (!isMissing(error)) throw error;
    // A group that does not exist has missed nothing.
    return queues.map(() => ({ ready: 0, consumers: 0 }));
  }
}

/** Waits until all consumers of the queues have answered, for as long as that may take. */
async function ask(channel: Channel, members: string, counts: readonly Count[]): Promise<Held> {
  const answers = new Map<string, PresenceMessage>();
  const held: Held = (partition) => {
    let sum = 0;
    for (const { report } of answers.values()) sum += report[partition]?.held ?? 0;
    return sum;
  };
  const consumers = counts.reduce((sum, count) => sum + count.consumers, 0);
  if (consumers === 0) return held;
  const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true });
  await channel.bindQueue(queue, members, '');
  await channel.consume(
    queue,
    (message) => {
      const answer = message && presenceOf(message);
      if (answer?.kind === 'here') answers.set(answer.member, answer);
    },
    { noAck: true },
  );
  channel.publish(members, '', Buffer.alloc(0), { type: 'ask' });
  // That a question is refused is told to the next request alone. Without its answers the lag would be too small.
  await channel.prefetch(0);
  const deadlineMs = Date.now() + ANSWERS_MS;
  const answered = (): number =>
    [...answers.values()].reduce(
      (sum, { report }) => sum + report.filter((each) => each.subscribed).length,
      0,
    );
  while (answered() < consumers && Date.now() < deadlineMs) await delay(POLL_MS);
  return held;
}

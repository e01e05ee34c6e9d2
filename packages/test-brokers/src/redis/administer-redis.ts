import { commandFailed, noNodeRuns, toolOf } from '../administration.js';
import { messageOf } from '../errors.js';
import { type RedisReply, RedisReplyError } from './resp.js';
import type { RedisNode } from './running-redis.js';

/** What can be asked. */
export type AskRedis = (...command: readonly string[]) => Promise<RedisReply>;

/** Sends the command of a `redis-cli` to every node that runs; resolves to the first one's answer as text. */
export async function administerRedis(
  nodes: readonly RedisNode[],
  command: readonly string[],
): Promise<string> {
  const running = nodes.filter(({ state }) => state === 'running');
  if (running.length === 0) throw noNodeRuns('Redis');
  const answers = await Promise.all(running.map(({ ask }) => redisCli(ask, command)));
  return answers[0] ?? '';
}

/**
 * What `redis-cli` would write that is not at a terminal. The command is sent without it, because not every
 * server comes with one.
 */
export async function redisCli(ask: AskRedis, command: readonly string[]): Promise<string> {
  const [tool, words] = toolOf(command, ['redis-cli']);
  try {
    return textOf(await ask(...words));
  } catch (error) {
    if (error instanceof RedisReplyError) throw commandFailed(tool, messageOf(error), { cause: error });
    throw error;
  }
}

function textOf(reply: RedisReply): string {
  if (reply === null) return '';
  return typeof reply === 'object' ? reply.map(textOf).join('\n') : String(reply);
}

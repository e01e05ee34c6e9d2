import { join } from 'node:path';
import { commandFailed, toolOf } from '../administration.js';
import type { Reaper } from '../reaper.js';
import { runCommand } from '../run-command.js';

/** What a tool of a node is run with. */
export interface RabbitMQToolbox {
  /** The folder of RabbitMQ's scripts. */
  readonly scripts: string;
  /** The node's Erlang name. */
  readonly name: string;
  readonly folder: string;
  /** The node's own environment, as arguments of `env`. */
  readonly variables: readonly string[];
  readonly reaper: Reaper;
}

const TOOLS: readonly string[] = [
  'rabbitmqctl',
  'rabbitmq-plugins',
  'rabbitmq-diagnostics',
  'rabbitmq-queues',
];

/** Runs one of RabbitMQ's scripts against a node; resolves to what it writes. */
export async function runRabbitMQTool(toolbox: RabbitMQToolbox, command: readonly string[]): Promise<string> {
  const [tool, args] = toolOf(command, TOOLS);
  const { scripts, name, folder, variables, reaper } = toolbox;
  const words = [...variables, join(scripts, tool), '-q', '-n', name, ...args];
  const { code, output } = await runCommand('env', words, { cwd: folder, reaper });
  if (code === 0) return output;
  throw commandFailed(tool, output);
}

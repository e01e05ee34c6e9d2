import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { allSettled } from '../all-settled.js';
import { withFreePorts } from '../free-ports.js';
import { NativeNode } from '../native-node.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper, type Reaper } from '../reaper.js';
import { type PlannedNode, planNodes, portsNeeded } from './plan.js';
import { assemble, type RedisAssembly } from './redis-assembly.js';
import { CONFIG_FILE, type RedisSecrets } from './redis-config.js';
import { probeFor, redisNode, targetOf } from './redis-node.js';
import type { ResolvedRedisOptions } from './redis-options.js';
import { makeSecrets } from './redis-secrets.js';
import type { RedisServer } from './redis-server.js';
import type { RedisNode } from './running-redis.js';

/** Starts nodes of a server that was found; again with other ports when these turn out to be taken. */
export async function startRedisProcesses(
  options: ResolvedRedisOptions,
  server: RedisServer,
): Promise<RedisAssembly> {
  return withFreePorts(nameOf(server), options.report, () => startOnce(options, server));
}

async function startOnce(options: ResolvedRedisOptions, server: RedisServer): Promise<RedisAssembly> {
  const reaper = await openReaper('redis');
  const ports = await reservePorts(portsNeeded(options));
  const release = async (): Promise<void> => {
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const { admin, tls } = await makeSecrets(options, reaper.folder);
    const secrets: RedisSecrets = { admin, tls: tls?.broker };
    const place = {
      bind: LOOPBACK,
      host: LOOPBACK,
      ports,
      folderOf: (label: string) => join(reaper.folder, label),
      socketPath: options.unixSocket ? join(reaper.folder, 'redis.sock') : undefined,
    };
    const plan = planNodes(options, place, secrets);
    const nodes = await allSettled(plan.map((one) => createNode(options, server, one, secrets, reaper)));
    await Promise.all(nodes.map((node) => node.start()));
    return assemble({ plan, nodes, secrets, tls: tls?.material, release });
  } catch (error) {
    await release();
    throw error;
  }
}

async function createNode(
  options: ResolvedRedisOptions,
  server: RedisServer,
  planned: PlannedNode,
  secrets: RedisSecrets,
  reaper: Reaper,
): Promise<RedisNode> {
  const { layout, config, label, role } = planned;
  const { folder } = layout;
  const configPath = join(folder, CONFIG_FILE);
  await mkdir(folder);
  await writeFile(configPath, config, { mode: 0o600 });
  const target = targetOf(planned, secrets);
  const { startTimeoutMs, report, topology } = options;
  const node = new NativeNode({
    id: layout.nodeId,
    name: topology === 'single' ? nameOf(server) : `${nameOf(server)}, ${label}`,
    command: server.command,
    argv0: server.argv0,
    args: [configPath, ...(role === 'sentinel' ? ['--sentinel'] : [])],
    probe: probeFor(planned, target, configPath),
    folder,
    startTimeoutMs,
    report,
    reaper,
  });
  return redisNode(node, layout, target);
}

function nameOf({ product, version }: RedisServer): string {
  return `${product} ${version}`;
}

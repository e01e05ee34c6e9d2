import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { launch } from '../broker-process.js';
import { withFreePorts } from '../free-ports.js';
import { LogRing } from '../log-ring.js';
import { NativeNode } from '../native-node.js';
import { LOOPBACK, releasePorts, reservePorts } from '../ports.js';
import { openReaper, type Reaper } from '../reaper.js';
import { makeTlsFiles, type TlsMaterial } from '../tls-files.js';
import { greet } from './greeting.js';
import { type RabbitMQLayout, writeNodeFiles } from './node-files.js';
import type { ResolvedRabbitMQOptions } from './rabbitmq-options.js';
import { runRabbitMQTool } from './rabbitmq-tools.js';
import type { RabbitMQNode } from './running-rabbitmq.js';
import { type ShownCertificate, showCertificate } from './shown-certificate.js';

const PROBE_TIMEOUT_MS = 2_000;

/** What a provider that runs RabbitMQ itself hands over. */
export interface RabbitMQAssembly {
  readonly nodes: readonly RabbitMQNode[];
  readonly layouts: readonly RabbitMQLayout[];
  readonly tls: TlsMaterial | undefined;
  /** Present with `tls`. */
  readonly shown: ShownCertificate | undefined;
  /** Ends what still runs, frees the ports and removes the files. */
  release(): Promise<void>;
}

/** Starts nodes with the scripts of that folder; again with other ports when these turn out to be taken. */
export function startRabbitMQProcesses(
  options: ResolvedRabbitMQOptions,
  scripts: string,
): Promise<RabbitMQAssembly> {
  return withFreePorts('RabbitMQ', options.report, () => startOnce(options, scripts));
}

async function startOnce(options: ResolvedRabbitMQOptions, scripts: string): Promise<RabbitMQAssembly> {
  const reaper = await openReaper('rabbitmq');
  const portsPerNode = 2 + Number(options.tls !== false) + Number(options.management);
  const ports = await reservePorts(options.nodes * portsPerNode + 1);
  const release = async (): Promise<void> => {
    await reaper.close();
    releasePorts(ports);
  };
  try {
    const clientName = options.users[0]?.username ?? 'omnibus';
    const tls =
      options.tls === false
        ? undefined
        : await makeTlsFiles(reaper.folder, [LOOPBACK, 'localhost'], clientName);
    const shown = tls && (await showCertificate(tls.broker, reaper.folder, options.serverCertificate));
    const layouts = layOut(options, ports, reaper.folder);
    await startDaemon(layouts[0] as RabbitMQLayout, reaper);
    const cookie = randomBytes(16).toString('hex').toUpperCase();
    const nodes: RabbitMQNode[] = [];
    for (const layout of layouts) {
      const environment = await writeNodeFiles(layout, layouts, options, cookie, shown);
      nodes.push(createNode(options, scripts, layout, environment, reaper));
    }
    // The first forms the cluster that the others join.
    for (const node of nodes) await node.start();
    return { nodes, layouts, tls: tls?.material, shown, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function layOut(
  options: ResolvedRabbitMQOptions,
  ports: readonly number[],
  folder: string,
): RabbitMQLayout[] {
  const free = ports.values();
  const next = (): number => free.next().value ?? 0;
  const epmdPort = next();
  return Array.from({ length: options.nodes }, (_, index) => ({
    id: index + 1,
    name: `rabbit${index + 1}@localhost`,
    folder: join(folder, `node-${index + 1}`),
    port: next(),
    distributionPort: next(),
    tlsPort: options.tls === false ? undefined : next(),
    managementPort: options.management ? next() : undefined,
    epmdPort,
  }));
}

/** Erlang's port mapper, which nodes would start themselves and leave behind. */
async function startDaemon({ epmdPort }: RabbitMQLayout, reaper: Reaper): Promise<void> {
  const args = ['-port', String(epmdPort), '-address', LOOPBACK];
  await launch({ command: 'epmd', args, cwd: reaper.folder, log: new LogRing(), reaper });
}

function createNode(
  options: ResolvedRabbitMQOptions,
  scripts: string,
  layout: RabbitMQLayout,
  environment: Readonly<Record<string, string>>,
  reaper: Reaper,
): RabbitMQNode {
  const { id, name, folder, port } = layout;
  const url = `amqp://${LOOPBACK}:${port}`;
  const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
  const toolbox = { scripts, name, folder, variables, reaper };
  const administer = (command: readonly string[]): Promise<string> => runRabbitMQTool(toolbox, command);
  const ctl = (...args: readonly string[]): Promise<string> => administer(['rabbitmqctl', ...args]);
  const node = new NativeNode({
    id,
    name: `RabbitMQ${options.nodes === 1 ? '' : `, node ${id}`}`,
    command: 'env',
    args: [...variables, join(scripts, 'rabbitmq-server')],
    folder,
    reaper,
    startTimeoutMs: options.startTimeoutMs,
    report: options.report,
    // Where only TLS is spoken its own tool knows.
    probe: async () =>
      void (options.configuration ? await ctl('status') : await greet(url, PROBE_TIMEOUT_MS)),
  });
  return Object.assign(node, { url, name, administer, ctl });
}

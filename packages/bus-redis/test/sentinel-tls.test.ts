import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumeSpec, RecordingSink, records, sendAll, uniqueName } from '@omnibus/conformance-tests';
import { type RunningRedis, startRedis } from '@omnibus/test-brokers';
import { Opener, until } from './support/redis.js';

const MASTER = 'encrypted';
const HOST = '127.0.0.1';
const opener = new Opener();
let redis: RunningRedis;
let folder: string;
let sentinel: ChildProcess;
let port: number;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

/** A sentinel that listens for nothing but TLS, and speaks TLS to the master. */
async function startSentinel({ tls, administer }: RunningRedis): Promise<void> {
  if (!tls) throw new Error('no TLS');
  port = await freePort();
  const [, certificate] = (await administer(['redis-cli', 'CONFIG', 'GET', 'tls-cert-file'])).split('\n');
  const lines = [
    `bind ${HOST}`,
    'port 0',
    `tls-port ${port}`,
    `dir ${folder}`,
    `tls-ca-cert-file ${tls.caPath}`,
    `tls-cert-file ${certificate}`,
    `tls-key-file ${certificate}`,
    'tls-auth-clients no',
    'tls-replication yes',
    `sentinel monitor ${MASTER} ${HOST} ${tls.address.port} 1`,
  ];
  const config = join(folder, 'sentinel.conf');
  await writeFile(config, `${lines.join('\n')}\n`);
  sentinel = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sentinel-tls-'));
  redis = await startRedis({ tls: true });
  await startSentinel(redis);
});
afterAll(async () => {
  await opener.close();
  const gone = once(sentinel, 'exit');
  sentinel.kill('SIGKILL');
  await gone;
  await redis.stop();
  await rm(folder, { recursive: true });
});

test('with TLS the sentinels are spoken to over TLS, like the master', async () => {
  const { transport } = await opener.open({
    sentinel: { name: MASTER, nodes: `${HOST}:${port}` },
    security: { tls: { ca: redis.tls?.ca ?? '' } },
  });
  const sink = new RecordingSink();
  await transport.consume(consumeSpec(uniqueName()), sink);
  await sendAll(transport, records(0, 1));
  await until('the record', () => sink.delivered.length === 1);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../src/commands.js';
import { installedPackages, pack, projectWith, removeTemporaryFolders } from '../src/packed.js';
import { publicPackages } from '../src/repository.js';

const packages = publicPackages();
const tarballs = new Map<string, string>();

beforeAll(() => {
  for (const { manifest, tarball } of pack(packages)) tarballs.set(manifest.name, tarball);
});
afterAll(removeTemporaryFolders);

function tarballsOf(...names: readonly string[]): readonly string[] {
  return names.map((name) => {
    const tarball = tarballs.get(name);
    if (tarball === undefined) throw new Error(`${name} was not packed.`);
    return tarball;
  });
}

const FORMATS = [
  {
    format: 'ESM',
    type: 'module',
    load: (names: string, from: string) => `import { ${names} } from '${from}';`,
  },
  {
    format: 'CJS',
    type: 'commonjs',
    load: (names: string, from: string) => `const { ${names} } = require('${from}');`,
  },
] as const;

const BUSES = [
  { bus: '@omnibus/bus-kafka', name: 'KafkaEventBus', client: 'kafkajs' },
  { bus: '@omnibus/bus-redis', name: 'RedisEventBus', client: 'ioredis' },
  { bus: '@omnibus/bus-rabbitmq', name: 'RabbitMQEventBus', client: 'amqplib' },
] as const;

// An event goes through the bus, and an error has the class that the application imported.
const USE_CORE = `
async function main() {
  const bus = new InMemoryEventBus({ group: 'billing' });
  const received = new Promise((resolve) => bus.subscribe('OrderPlaced', resolve));
  await bus.startConsuming();
  const event = createEvent({
    eventType: 'OrderPlaced', aggregateType: 'Order', aggregateId: 'order-1', data: { total: 42 },
  });
  await bus.publish(event);
  const { eventId, data } = await received;
  if (eventId !== event.eventId || data.total !== 42) throw new Error('another event arrived');
  await bus.shutdown();
  const error = await bus.publish(event).then(() => undefined, (reason) => reason);
  if (!(error instanceof BusError) || error.code !== 'BUS_CLOSED') throw new Error('not refused: ' + error);
  if (typeof TransportEventBus !== 'function') throw new Error('no TransportEventBus');
  console.log('delivered');
}
main().catch((error) => { console.error(error); process.exit(1); });
`;

describe.each(FORMATS)('an empty $format project', ({ type, load }) => {
  const runProgram = (project: string, program: string) => {
    writeFileSync(join(project, 'main.js'), program);
    return mustRun(process.execPath, ['main.js'], project).trim();
  };

  it('gets core alone when it installs core, and events go through its bus', () => {
    const project = projectWith(type, tarballsOf('@omnibus/core'));
    expect(installedPackages(project)).toEqual(['@omnibus/core']);
    const loads = [
      load('BusError, createEvent, InMemoryEventBus', '@omnibus/core'),
      load('TransportEventBus', '@omnibus/core/transport'),
    ];
    expect(runProgram(project, loads.join('\n') + USE_CORE)).toBe('delivered');
  });

  it.each(BUSES)(
    'gets one client when it installs $bus, and the bus can be loaded',
    ({ bus, name, client }) => {
      const project = projectWith(type, tarballsOf('@omnibus/core', bus));
      // What a client itself depends on is its own business.
      const ours = (each: string) => each.startsWith('@omnibus/') || BUSES.some((one) => one.client === each);
      expect(installedPackages(project).filter(ours)).toEqual([bus, '@omnibus/core', client]);
      const program = `${load(name, bus)}\nconsole.log(typeof ${name});`;
      expect(runProgram(project, program)).toBe('function');
    },
  );

  it('can load the conformance kit and run its command', () => {
    const project = projectWith(type, tarballsOf('@omnibus/core', '@omnibus/conformance-tests'));
    expect(installedPackages(project)).toEqual(['@omnibus/conformance-tests', '@omnibus/core']);
    const program = `${load('conformance', '@omnibus/conformance-tests')}\nconsole.log(typeof conformance);`;
    expect(runProgram(project, program)).toBe('function');
    expect(mustRun('npx', ['--no', 'omnibus-conformance', '--', '--help'], project)).toContain('--bus');
  });
});

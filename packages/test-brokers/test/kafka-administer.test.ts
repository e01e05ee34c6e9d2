import type { RunningKafka } from '../src/index.js';
import { client, startNative } from './native.js';

const USER = ['--entity-type', 'users', '--entity-name', 'alice'];

describe('the tools of a Kafka', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startNative({
      acls: true,
      users: [{ username: 'alice', password: 'first' }],
      listeners: [{ name: 'PASSWORD', protocol: 'SASL_PLAINTEXT', mechanisms: ['SCRAM-SHA-256'] }],
      report: () => {},
    });
  }, 240_000);
  afterAll(() => kafka?.stop());

  it('run as documentation shows them, without address and login', async () => {
    await kafka.administer(['kafka-topics', '--create', '--topic', 'orders', '--partitions', '2']);
    const topic = await kafka.administer(['kafka-topics', '--describe', '--topic', 'orders']);
    expect(topic).toContain('PartitionCount: 2');
    await kafka.administer([
      'kafka-acls',
      ...['--add', '--allow-principal', 'User:alice', '--operation', 'Write', '--topic', 'orders'],
      ...['--resource-pattern-type', 'prefixed'],
    ]);
    expect(await kafka.administer(['kafka-acls', '--list'])).toMatch(/principal=User:alice.*operation=WRITE/);
    expect(await kafka.administer(['kafka-consumer-groups', '--list'])).not.toContain('Error');
  }, 60_000);

  it('change a password while the broker runs', async () => {
    const login = async (password: string): Promise<void> => {
      const sasl = { mechanism: 'scram-sha-256', username: 'alice', password };
      const brokers = kafka.listeners.PASSWORD?.brokers ?? [];
      const admin = client(brokers, { sasl, retry: { retries: 0 } }).admin();
      await admin.connect();
      await admin.disconnect();
    };
    await login('first');
    await kafka.administer([
      'kafka-configs',
      '--alter',
      '--add-config',
      'SCRAM-SHA-256=[password=second]',
      ...USER,
    ]);
    await login('second');
    await expect(login('first')).rejects.toThrow(/SASL|credentials/i);
  }, 60_000);

  it('tell what they wrote when they fail, but not with which words they were run', async () => {
    const again = kafka.administer(['kafka-topics', '--create', '--topic', 'orders']);
    await expect(again).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    await expect(again).rejects.toThrow(/kafka-topics failed: .*already exists/s);
    const unknown = kafka.administer(['kafka-consumer-groups', '--describe', '--group', 'nobody']);
    await expect(unknown).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    const refused = kafka.administer([
      'kafka-configs',
      '--alter',
      '--add-config',
      'SCRAM-SHA-1=[password=canary]',
      ...USER,
    ]);
    await expect(refused).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    await expect(refused).rejects.not.toThrow(/canary/);
    await expect(kafka.administer(['rm', '-r'])).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  }, 60_000);

  it('are refused once it was stopped', async () => {
    await kafka.stop();
    await expect(kafka.administer(['kafka-topics', '--list'])).rejects.toMatchObject({ code: 'STOPPED' });
  });
});

import { HOPELESS_ORDERS, orderPlaced, outcomeOf, type RolePlay } from '@omnibus/conformance-tests';
import type { EventBus } from '@omnibus/core';
import { type RunningKafka, startKafka } from '@omnibus/test-brokers';
import { rolesOn, runCommandsOf } from './support/roles.js';

jest.setTimeout(60_000);

let kafka: RunningKafka;
let roles: RolePlay;

beforeAll(async () => {
  kafka = await startKafka({
    acls: true,
    listeners: [{ name: 'CLIENTS', protocol: 'SASL_SSL', mechanisms: ['SCRAM-SHA-512'] }],
  });
  for (const block of ['topics', 'publisher', 'consumer', 'operator']) await runCommandsOf(block, kafka);
}, 240_000);
afterAll(() => kafka.stop());

beforeEach(() => {
  roles = rolesOn(kafka);
});
afterEach(() => roles.close());

describe('with the rights in docs/security.md', () => {
  test('a publisher publishes', async () => {
    await roles.publish();
    expect(roles.refused).toEqual([]);
  });

  test('consumers share, retry, give up, hand over, look back and know their lag', async () => {
    await roles.consume({ history: true });
    expect(roles.refused).toEqual([]);
  });

  test('an operator looks at dead letters, gives them back and removes them', async () => {
    await roles.operateBesideConsumer();
    expect(roles.refused).toEqual([]);
  });

  test('an operator may publish to the stream, for replays do', async () => {
    expect(await outcomeOf(roles.busOf('operator').publish(orderPlaced(0)))).toBe('done');
  });

  test('a publisher cannot consume, nor read dead letters or history', async () => {
    expect(await roles.publisherOverreaches()).toEqual(Array(2).fill('AUTHORIZATION'));
    const bus = roles.busOf('publisher');
    expect(await outcomeOf(bus.replay({ from: 'beginning', handler: () => undefined }))).toBe(
      'AUTHORIZATION',
    );
  });

  test('a consumer cannot publish, read dead letters or consume for another group', async () => {
    expect(await roles.consumerOverreaches()).toEqual(Array(3).fill('AUTHORIZATION'));
  });

  test('an operator cannot consume', async () => {
    expect(await outcomeOf(roles.busOf('operator').startConsuming())).toBe('AUTHORIZATION');
  });
});

describe('without', () => {
  type Turn = (bus: EventBus) => Promise<unknown>;
  const counted: Turn = (bus) => bus.deadLetters.count();
  const rows: [right: string, user: string, options: string, turn: Turn, named: string][] = [
    ['Write', 'publisher', '--topic events.stream', (bus) => bus.publish(orderPlaced(0)), 'events.stream'],
    ['Describe', 'publisher', '--topic events.stream.dlq', (bus) => bus.connect(), 'events.stream.dlq'],
    ['Read', 'billing', '--group billing', (bus) => bus.startConsuming(), 'billing'],
    ['Read', 'billing', '--topic events.stream', (bus) => bus.connect(), 'events.stream'],
    ['Write', 'billing', '--topic events.stream.dlq', (bus) => bus.connect(), 'events.stream.dlq'],
    ['Write', 'operator', '--topic events.stream', (bus) => bus.connect(), 'events.stream'],
    ['Read', 'operator', '--topic events.stream.dlq', counted, 'events.stream.dlq'],
    ['Read', 'operator', '--topic events.stream.dlq.state', counted, 'events.stream.dlq.state'],
    [
      'Write',
      'operator',
      '--topic events.stream.dlq.state',
      (bus) => bus.deadLetters.purge({ aggregateId: 'order-3' }),
      'events.stream.dlq.state',
    ],
    ['Describe', 'operator', '--group *', (bus) => bus.lag(), 'billing'],
  ];

  beforeAll(async () => {
    const before = rolesOn(kafka);
    await before.publish();
    await before.giveUp(HOPELESS_ORDERS.length);
    await before.close();
  });

  test.each(rows)(
    '%s for %s on %s, the error names what is missing',
    async (operation, user, resource, turn, named) => {
      const acl = [
        ...['--allow-principal', `User:${user}`, '--operation', operation],
        ...resource.split(' '),
      ];
      await kafka.administer(['kafka-acls', '--remove', '--force', ...acl]);
      try {
        const error: unknown = await turn(roles.busOf(user)).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ code: 'AUTHORIZATION', message: expect.stringContaining(named) });
      } finally {
        await kafka.administer(['kafka-acls', '--add', ...acl]);
      }
    },
  );
});

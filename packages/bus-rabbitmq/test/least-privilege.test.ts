import { orderPlaced, outcomeOf, type RolePlay } from '@omnibus/conformance-tests';
import { type RunningRabbitMQ, startRabbitMQ } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../scripts/lib/documented-commands.cjs';
import { until } from './support/rabbitmq.js';
import { deploy, rolesOn, runCommandsOf } from './support/roles.js';

jest.setTimeout(60_000);

const KINDS = ['configure', 'write', 'read'] as const;

/** A user who lacks one of the names that a role may use. */
interface Lacking {
  readonly username: string;
  readonly what: string;
  readonly permissions: Readonly<Record<(typeof KINDS)[number], string>>;
}

/** One for each name in the permissions of a role. */
function lackingOne(role: string): Lacking[] {
  const command = documentedCommands(`rabbitmq ${role}`).find(([, action]) => action === 'set_permissions');
  const patterns = (command ?? []).slice(-KINDS.length).map((pattern) => {
    const [, names = ''] = /^\^\(?(.*?)\)?\$$/.exec(pattern) ?? [];
    return names.split('|').filter((name) => name !== '');
  });
  return patterns.flatMap((names, place) =>
    names.map((name) => {
      const left = patterns.map((all, at) => (at === place ? all.filter((each) => each !== name) : all));
      const [configure = '', write = '', read = ''] = left.map((all) => `^(${all.join('|')})$`);
      const what = `${KINDS[place]} on ${name}`;
      return {
        username: `${role}-${place}-${names.indexOf(name)}`,
        what,
        permissions: { configure, write, read },
      };
    }),
  );
}

const lacking = {
  publisher: lackingOne('publisher'),
  consumer: lackingOne('consumer'),
  operator: lackingOne('operator'),
  reader: lackingOne('reader'),
};

let rabbitmq: RunningRabbitMQ;
let roles: RolePlay;
/** The same, with history. */
let readers: RolePlay;

beforeAll(async () => {
  rabbitmq = await startRabbitMQ({
    tls: true,
    users: Object.values(lacking)
      .flat()
      .map(({ username, permissions }) => ({
        username,
        password: `${username}-secret`,
        permissions: [permissions],
      })),
  });
  for (const role of ['deployer', 'publisher', 'consumer', 'operator']) await runCommandsOf(role, rabbitmq);
  for (const group of ['billing', 'shipping']) await deploy(rabbitmq, group);
}, 180_000);
afterAll(() => rabbitmq.stop());

beforeEach(() => {
  roles = rolesOn(rabbitmq);
  readers = rolesOn(rabbitmq, { history: true });
});
afterEach(() => Promise.all([roles.close(), readers.close()]));

describe('with the rights in docs/security.md', () => {
  test('a publisher publishes', async () => {
    await roles.publish();
    expect(roles.refused).toEqual([]);
  });

  test('consumers share, retry, give up, hand over and know their lag', async () => {
    await roles.consume({ history: false });
    expect(roles.refused).toEqual([]);
  });

  test('an operator looks at dead letters, gives them back and removes them', async () => {
    await roles.operateBesideConsumer();
    expect(roles.refused).toEqual([]);
  });

  test('a publisher cannot consume, nor read dead letters', async () => {
    expect(await roles.publisherOverreaches()).toEqual(Array(2).fill('AUTHORIZATION'));
  });

  test('a consumer cannot publish, read dead letters or consume for another group', async () => {
    expect(await roles.consumerOverreaches()).toEqual(Array(3).fill('AUTHORIZATION'));
  });

  test('an operator cannot publish or consume', async () => {
    const bus = roles.busOf('operator');
    expect(await outcomeOf(bus.publish(orderPlaced(0)))).toBe('AUTHORIZATION');
    expect(await outcomeOf(bus.startConsuming())).toBe('AUTHORIZATION');
  });
});

describe('without', () => {
  const rows = (users: readonly Lacking[]): [string, string][] =>
    users.map(({ what, username }) => [what, username]);

  /** Ends with the first refusal. Times out when there is none. */
  async function expectRefusal(turn: Promise<unknown>): Promise<void> {
    let code: unknown;
    // What comes after the refusal is nobody's business: the turn is given up in the middle.
    void outcomeOf(turn).then((outcome) => {
      code = outcome;
    });
    const refused = (): number => roles.refused.length + readers.refused.length;
    await until('a refusal', () => code === 'AUTHORIZATION' || refused() > 0);
    await Promise.all([roles.close(), readers.close()]);
  }

  test.each(rows(lacking.publisher))('%s a publisher is refused something', (_what, username) =>
    expectRefusal(roles.publish(username)),
  );

  describe('with dead letters', () => {
    beforeAll(async () => {
      const before = rolesOn(rabbitmq);
      await before.publish();
      await before.consume({ history: false });
      await before.close();
    });

    test.each(rows(lacking.operator))('%s an operator is refused something', (_what, username) =>
      expectRefusal(roles.operateBesideConsumer(username)),
    );
  });

  test.each(rows(lacking.reader))('%s a reader is refused something', async (_what, username) => {
    await deploy(rabbitmq, 'billing', { history: true });
    const bus = readers.busOf(username);
    await expectRefusal(bus.replay({ from: 'beginning', handler: () => undefined }));
  });

  test.each(rows(lacking.consumer))('%s a consumer is refused something', async (_what, username) => {
    await roles.publish();
    await expectRefusal(roles.consume({ user: username, history: false }));
  });
});

describe('a consumer who may not read the queues of its group', () => {
  const { username, permissions } = lacking.consumer.find(({ what }) => what.endsWith('[0-9]+')) as Lacking;

  async function connectionsOf(user: string): Promise<number> {
    const listed = await rabbitmq.administer(['rabbitmqctl', '-q', 'list_connections', 'user']);
    return listed.split('\n').filter((line) => line.trim() === user).length;
  }

  test('is told so by startConsuming, leaves nothing behind, and starts when it may', async () => {
    const bus = roles.busOf(username);
    expect(await outcomeOf(bus.startConsuming())).toBe('AUTHORIZATION');
    await until('the connection of consuming to end', async () => (await connectionsOf(username)) === 1);
    const { configure, write, read } = permissions;
    const all = read.replace('^(', '^(events\\.billing\\.[0-9]+|');
    await rabbitmq.administer(['rabbitmqctl', 'set_permissions', username, configure, write, all]);
    expect(await outcomeOf(bus.startConsuming())).toBe('done');
  });
});

// Last: what is published here nobody consumes.
describe('with the rights for less', () => {
  test('a reader replays history', async () => {
    await runCommandsOf('reader', rabbitmq);
    await deploy(rabbitmq, 'billing', { history: true });
    await roles.publish();
    const seen: string[] = [];
    const reader = readers.busOf('reader');
    await reader.replay({ from: 'beginning', handler: ({ aggregateId }) => void seen.push(aggregateId) });
    expect(seen).toContain('order-0');
    expect(await outcomeOf(reader.publish(orderPlaced(0)))).toBe('AUTHORIZATION');
    expect(await outcomeOf(reader.startConsuming())).toBe('AUTHORIZATION');
  });

  test('a publisher of orders publishes nothing else', async () => {
    await runCommandsOf('publisher of orders', rabbitmq);
    await roles.publish();
    const bus = roles.busOf('publisher');
    const invoice = { ...orderPlaced(0), aggregateType: 'Invoice' };
    expect(await outcomeOf(bus.publish(invoice))).toBe('AUTHORIZATION');
    await rabbitmq.administer(['rabbitmqctl', 'clear_topic_permissions', 'publisher']);
  });
});

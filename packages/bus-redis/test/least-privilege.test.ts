import { HOPELESS_ORDERS, orderPlaced, outcomeOf, type RolePlay } from '@omnibus/conformance-tests';
import { type RunningRedis, startRedis } from '@omnibus/test-brokers';
import { documentedCommands } from '../../../scripts/lib/documented-commands.cjs';
import { until } from './support/redis.js';
import { cli, prepare, removeOldGroup, rolesOn, type User } from './support/roles.js';

const BLOCKS: Readonly<Record<User, string>> = {
  publisher: 'redis publisher',
  billing: 'redis consumer',
  operator: 'redis operator',
};
/** Tried, and done without. Servers from 7.2 on are told the client's version, too. */
const DISPENSABLE: Readonly<Record<User, readonly string[]>> = {
  publisher: ['xinfo|stream', 'client|setinfo'],
  billing: ['client|id', 'client|setinfo'],
  operator: ['client|setinfo'],
};

let redis: RunningRedis;
let roles: RolePlay;

beforeAll(async () => {
  redis = await startRedis({
    tls: true,
    users: [{ username: 'nobody', password: 'unused', rules: '-@all' }],
  });
});
afterAll(() => redis.stop());

beforeEach(async () => {
  roles = rolesOn(redis);
  await prepare(redis);
});
afterEach(() => roles.close());

/** Forgets what was called and refused, so that the next look tells of what happens from now on. */
async function forget(): Promise<void> {
  await cli(redis, 'CONFIG', 'RESETSTAT');
  await cli(redis, 'ACL', 'LOG', 'RESET');
  await cli(redis, 'SCRIPT', 'FLUSH');
}

/** Commands that were called, also by scripts. */
async function called(): Promise<Set<string>> {
  const statistics = await cli(redis, 'INFO', 'commandstats');
  return new Set([...statistics.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name = '']) => name));
}

/** Commands and keys that were refused to a user who cannot do without. */
async function denied(user: User): Promise<string[]> {
  const log = await cli(redis, 'ACL', 'LOG');
  return [...log.matchAll(/^object\n(.*)$/gm)]
    .map(([, name = '']) => name)
    .filter((name) => !DISPENSABLE[user].includes(name));
}

/** The commands that the document allows a user. */
function allowed(user: User): string[] {
  const [words = []] = documentedCommands(BLOCKS[user]);
  return [...new Set([...words.join(' ').matchAll(/\+([\w|]+)/g)].map(([, name = '']) => name))];
}

/** What comes before a user's turn. */
async function before(user: User): Promise<void> {
  const group = roles.busOf('billing');
  await group.ensureGroup();
  await group.shutdown();
  if (user === 'publisher') return;
  await roles.publish();
  if (user === 'billing') return;
  await roles.giveUp(HOPELESS_ORDERS.length);
  await cli(redis, 'XGROUP', 'CREATE', 'events:stream', 'old', '0');
}

function turnOf(user: User): Promise<void> {
  return {
    publisher: () => roles.publish(),
    billing: () => roles.consume({ history: true }),
    operator: async () => {
      await roles.operate();
      await removeOldGroup(redis);
    },
  }[user]();
}

describe('with the rights in docs/security.md', () => {
  test.each(['publisher', 'billing', 'operator'] as const)(
    '%s does what it has to, and uses every right',
    async (user) => {
      await before(user);
      await forget();
      await turnOf(user);
      expect(await denied(user)).toEqual([]);
      const calls = await called();
      expect(allowed(user).filter((command) => !calls.has(command))).toEqual([]);
      expect(roles.refused).toEqual([]);
    },
  );

  test('a group handles what an operator gave back', async () => {
    await before('operator');
    await roles.operate();
    await roles.giveUp(1);
    expect(roles.refused).toEqual([]);
  });

  test('a publisher cannot consume, nor read dead letters or history', async () => {
    await before('publisher');
    expect(await roles.publisherOverreaches()).toEqual(Array(2).fill('AUTHORIZATION'));
    const bus = roles.busOf('publisher');
    expect(await outcomeOf(bus.replay({ from: 'beginning', handler: () => undefined }))).toBe(
      'AUTHORIZATION',
    );
  });

  test('a consumer cannot publish, read dead letters or consume for another group', async () => {
    expect(await roles.consumerOverreaches()).toEqual(Array(3).fill('AUTHORIZATION'));
  });

  test('an operator cannot publish or consume', async () => {
    await before('billing');
    const bus = roles.busOf('operator');
    expect(await outcomeOf(bus.publish(orderPlaced(0)))).toBe('AUTHORIZATION');
    expect(await outcomeOf(bus.startConsuming())).toBe('AUTHORIZATION');
  });
});

/** The command that makes a user, once for each right that it gives, without that right. */
function withoutOne(user: User): [right: string, user: User, command: string[]][] {
  const [words = []] = documentedCommands(BLOCKS[user]);
  return words.flatMap((word, at) => {
    const rights = word.split(/[ ()]+/).filter((right) => /^[+~%]/.test(right));
    return rights.map((right): [string, User, string[]] => {
      const rest = word.startsWith('(') ? [`(${rights.filter((each) => each !== right).join(' ')})`] : [];
      const selector = rights.length > 1 ? `${right} in (${rights[0]} …)` : right;
      return [selector, user, [...words.slice(0, at), ...rest, ...words.slice(at + 1)]];
    });
  });
}

describe('without', () => {
  // Without INFO ioredis goes on, and writes so on the console.
  const each = (['publisher', 'billing', 'operator'] as const)
    .flatMap(withoutOne)
    .filter(([right]) => right !== '+info');

  test.each(each)('%s something is refused to %s', async (_right, user, command) => {
    await before(user);
    await redis.administer(command);
    await forget();
    const turn = outcomeOf(turnOf(user));
    await until('a refusal', async () => (await denied(user)).length > 0);
    await roles.close();
    await turn;
  });
});

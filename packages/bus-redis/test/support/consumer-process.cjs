const { RedisEventBus } = require('@omnibus/bus-redis');

/** The factory of buses for child processes. */
exports.create = ({ namespace, group, overrides }) =>
  new RedisEventBus({
    url: process.env.OMNIBUS_TEST_REDIS,
    streamPrefix: namespace,
    group,
    ...overrides,
  });

const { startRedis } = require('@omnibus/test-brokers');

/** Starts the server that the test files share, and tells them where it is. */
module.exports = async function startSharedRedis() {
  const redis = await startRedis();
  globalThis.sharedRedis = redis;
  process.env.OMNIBUS_TEST_SHARED_REDIS = redis.url;
};

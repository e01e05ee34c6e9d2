const { startKafka } = require('@omnibus/test-brokers');

/** Starts the broker that the test files share, and tells them where it is. */
module.exports = async function startSharedKafka() {
  const kafka = await startKafka();
  globalThis.sharedKafka = kafka;
  process.env.OMNIBUS_TEST_SHARED_KAFKA = kafka.brokers.join(',');
};

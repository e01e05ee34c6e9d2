const { startRabbitMQ } = require('@omnibus/test-brokers');

/** Starts the broker that the test files share, and tells them where it is. */
module.exports = async function startSharedRabbitMQ() {
  const rabbitmq = await startRabbitMQ();
  globalThis.sharedRabbitMQ = rabbitmq;
  process.env.OMNIBUS_TEST_SHARED_RABBITMQ = rabbitmq.urls.join(',');
};

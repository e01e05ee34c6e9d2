/** Stops the broker that the test files shared. */
module.exports = async function stopSharedRabbitMQ() {
  await globalThis.sharedRabbitMQ?.stop();
};

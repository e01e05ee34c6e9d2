/** Stops the broker that the test files shared. */
module.exports = async function stopSharedKafka() {
  await globalThis.sharedKafka?.stop();
};

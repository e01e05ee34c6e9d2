/** Stops the server that the test files shared. */
module.exports = async function stopSharedRedis() {
  await globalThis.sharedRedis?.stop();
};

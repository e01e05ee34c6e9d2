const { documentedBlock } = require('./documented-block.cjs');

/** The block behind `<!-- configuration: NAME -->` in `docs/security.md`, with the test's own names, paths and secrets. */
function documentedConfiguration(name, own) {
  return Object.entries(own).reduce(
    (written, [theirs, ours]) => {
      if (!written.includes(theirs)) throw new Error(`docs/security.md: "${name}" does not hold ${theirs}`);
      return written.replaceAll(theirs, ours);
    },
    `${documentedBlock('configuration', name)}\n`,
  );
}

module.exports = { documentedConfiguration };

const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const DOCUMENT = join(__dirname, '../../docs/security.md');

/** The block behind `<!-- configuration: NAME -->` in `docs/security.md`, with the test's own names, paths and secrets. */
function documentedConfiguration(name, own) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const marker = `<!-- configuration: ${name} -->`;
  const [, block] = /^\n\n```\w+\n(.*?)\n```/s.exec(text.slice(text.indexOf(marker) + marker.length)) ?? [];
  if (!text.includes(marker) || block === undefined)
    throw new Error(`docs/security.md has no block of configuration "${name}"`);
  return Object.entries(own).reduce((written, [theirs, ours]) => {
    if (!written.includes(theirs)) throw new Error(`docs/security.md: "${name}" does not hold ${theirs}`);
    return written.replaceAll(theirs, ours);
  }, `${block}\n`);
}

module.exports = { documentedConfiguration };

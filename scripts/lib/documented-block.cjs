const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const DOCUMENT = join(__dirname, '../../docs/security.md');

/** The lines of the block behind `<!-- KIND: NAME -->` in `docs/security.md`. */
function documentedBlock(kind, name) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [, block] = text.split(`<!-- ${kind}: ${name} -->`);
  const [, lines] = /^\n\n```\w+\n(.*?)\n```/s.exec(block ?? '') ?? [];
  if (lines === undefined) throw new Error(`docs/security.md has no block of ${kind} "${name}"`);
  return lines;
}

module.exports = { documentedBlock };

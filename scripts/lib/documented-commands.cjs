const { documentedBlock } = require('./documented-block.cjs');

const WORD = /'(?<quoted>[^']*)'|(?<bare>[\w./:=,*+|~%@-]+)|(?<variable>\$\w+)/y;

/** The commands of the block behind `<!-- commands: NAME -->` in `docs/security.md`, each as its words. */
function documentedCommands(name) {
  return documentedBlock('commands', name)
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(wordsOf);
}

/** As a shell splits them. The address and the login, which the documents keep in a variable, are left out. */
function wordsOf(line) {
  const words = [];
  for (let rest = line.trim(); rest !== ''; ) {
    WORD.lastIndex = 0;
    const { 0: match, groups } = WORD.exec(rest) ?? {};
    const end = rest[match?.length ?? 0];
    // Anything else that a shell knows would make these words others than those that a reader runs.
    if (match === undefined || (end !== undefined && end !== ' '))
      throw new Error(`docs/security.md: cannot be taken apart: ${line}`);
    if (groups.variable === undefined) words.push(groups.quoted ?? groups.bare);
    rest = rest.slice(match.length).trimStart();
  }
  return [words[0].replace(/\.sh$/, ''), ...words.slice(1)];
}

module.exports = { documentedCommands };

/**
 * Mutants that no test can find, because nobody can tell them from the original, and why.
 *
 * @type {readonly { file: string, was: string, replacement: string, because: string }[]}
 */
export const EQUIVALENT = [];

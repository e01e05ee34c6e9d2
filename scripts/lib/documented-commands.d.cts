/**
 * The commands of the block behind `<!-- commands: NAME -->` in `docs/security.md`, each as its words, without the
 * address and the login that the block keeps in a variable. So tests run what readers paste.
 */
export function documentedCommands(name: string): string[][];

/**
 * The block behind `<!-- configuration: NAME -->` in `docs/security.md`. `own` is what a reader replaces, too: names,
 * addresses, paths and secrets, each by what the test has in its place. Throws when the block has one of them not.
 */
export function documentedConfiguration(name: string, own: Readonly<Record<string, string>>): string;

/** The codes that a document has a heading for: ``### `CODE` ``. */
export function documentedCodes(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^###\s+`([A-Z][A-Z0-9_]*)`\s*$/gm)].map((match) => match[1] ?? '');
}

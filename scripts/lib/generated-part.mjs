/**
 * A page with a part that is generated, between two comments: `<!-- name:begin -->` and `<!-- name:end -->`.
 *
 * @param {string} page
 * @param {string} name
 * @param {string} part
 * @returns {string} the page with the part
 */
export function withGeneratedPart(page, name, part) {
  const [opening, closing] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const begin = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (begin < 0 || end < begin) throw new Error(`The page lacks the markers ${opening} and ${closing}.`);
  return `${page.slice(0, begin + opening.length)}\n\n${part}\n\n${page.slice(end)}`;
}

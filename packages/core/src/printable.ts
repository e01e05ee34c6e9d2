/** What breaks a line, drives a terminal, or shows a text in another order than it stands. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Surrogate}]/gu;

/** The text in one line that can do nothing: control characters and the like are written as `\u` and their number. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The beginning of a text of others in quotes, for a message. Line breaks, quotes and the like in it are escaped. */
export function quoted(text: string, maxLength = 100): string {
  return printable(JSON.stringify(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text));
}

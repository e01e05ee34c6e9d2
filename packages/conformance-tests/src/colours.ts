export const RED = 31;
export const GREEN = 32;
export const GREY = 90;

/** Whether what goes to the terminal may be coloured: https://no-color.org. */
export function hasColours(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
}

/** The text in a colour of the terminal. */
export function inColour(text: string, colour: number): string {
  return `\u001b[${colour}m${text}\u001b[0m`;
}

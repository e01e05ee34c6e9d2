/** Says one line of progress to whoever runs the tests. */
export type Report = (line: string) => void;

/** Where lines go when nobody asked for them. */
export const reportToStandardError: Report = (line) => void process.stderr.write(`${line}\n`);

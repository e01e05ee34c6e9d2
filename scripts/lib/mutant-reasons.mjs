/** Why an id finds no mutant. An id is either here, or named by a mutant that it finds; `npm run mutants -- --check` looks. */
export const REASONS = {
  LC07: 'sends a signal to a process, and the bus in memory has none; what the process does then is a shutdown, whose mutants LC02, LC03 and LC06 find.',
  FA03: 'resets sockets, and the bus in memory has none; what becomes of the publishes that this cuts off is decided in core, whose mutants OR07, FA01 and LC06 find.',
  FA04: 'waits for time-outs that each adapter gives its client, and core has no part in them: 21 to 27 s for each mutant on a real broker, which nobody has spent yet.',
  FA05: 'fails when one of those time-outs is too short for a slow link: 13 to 15 s for each mutant on a real broker, which nobody has spent yet.',
  FA06: 'counts what the client of each broker leaves behind when it reconnects, and core has no part in that: 10 to 11 s for each mutant on a real broker, which nobody has spent yet.',
};

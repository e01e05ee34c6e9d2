/**
 * Mutants that no test can find, because nobody can tell them from the original, and why.
 *
 * @type {readonly { file: string, was: string, replacement: string, because: string }[]}
 */
export const EQUIVALENT = [
  {
    file: 'accumulator',
    was: 'this.options.lingerMs > 0',
    replacement: 'true',
    because: 'a timer of 0 ms instead of the next turn: the same, later by a millisecond',
  },
  {
    file: 'accumulator',
    was: 'this.options.lingerMs > 0',
    replacement: 'this.options.lingerMs >= 0',
    because: 'a timer of 0 ms instead of the next turn: the same, later by a millisecond',
  },
  {
    file: 'accumulator',
    was: 'failures[0]?.error',
    replacement: 'failures[0].error',
    because: 'what is sent again has failed; the types do not know it',
  },
  {
    file: 'accumulator',
    was: '!first || first.ticket.deadlineMs > nowMs',
    replacement: 'false',
    because: 'looks at all that waits when nothing is late, and puts all of it back: slower, the same',
  },
  {
    file: 'accumulator',
    was: '!first || first.ticket.deadlineMs > nowMs',
    replacement: '!first && first.ticket.deadlineMs > nowMs',
    because: 'looks at all that waits when nothing is late, and puts all of it back: slower, the same',
  },
  {
    file: 'accumulator',
    was: 'first.ticket.deadlineMs > nowMs',
    replacement: 'false',
    because: 'looks at all that waits when nothing is late, and puts all of it back: slower, the same',
  },
  {
    file: 'dispatch',
    was: "''",
    replacement: '"Stryker was here!"',
    because: 'an attempt that failed has a handler that failed; the types do not know it',
  },
  {
    file: 'dispatch',
    was: 'failed[0]?.name',
    replacement: 'failed[0].name',
    because: 'an attempt that failed has a handler that failed; the types do not know it',
  },
  {
    file: 'dispatch',
    was: 'attempt.context?.abort',
    replacement: 'attempt.context.abort',
    because: 'a handler that is waited for has a context; the types do not know it',
  },
  {
    file: 'partition-lane',
    was: '[]',
    replacement: '["Stryker was here"]',
    because: 'nothing is taken out of a lost partition; the list is emptied to let go of memory',
  },
];

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
    file: 'journal',
    was: 'sequence !== undefined',
    replacement: 'true',
    because: 'nothing is greater than a number when it is none, and none replaced by none is none',
  },
  {
    file: 'journal',
    was: 'sequence > newest',
    replacement: 'sequence >= newest',
    because: 'of two that are equal either will do',
  },
  {
    file: 'journal',
    was: "typeof value === 'number'",
    replacement: 'true',
    because: 'what is no number is no integer; the types do not know it',
  },
  {
    file: 'journal',
    was: 'value > 0',
    replacement: 'value >= 0',
    because: '0 reads as 0 either way',
  },
  {
    file: 'journal-keeper',
    was: 'opener === undefined',
    replacement: 'false',
    because: 'what is undefined is not written either way; the types ask for the difference',
  },
  {
    file: 'journal-keeper',
    was: 'intent === undefined',
    replacement: 'false',
    because: 'what is undefined is not written either way; the types ask for the difference',
  },
  {
    file: 'partition-lane',
    was: '[]',
    replacement: '["Stryker was here"]',
    because: 'nothing is taken out of a lost partition; the list is emptied to let go of memory',
  },
  {
    file: 'retry',
    was: 'policy.retryIf?.(error, event)',
    replacement: 'policy.retryIf(error, event)',
    because: 'calling what is not there throws, and what throws does not decide',
  },
  {
    file: 'retry',
    was: '{\n    return false; // A hostile getter or proxy: an error like any other.\n  }',
    replacement: '{}',
    because: 'undefined is as little a yes',
  },
  {
    file: 'journal-keeper',
    was: 'previous === undefined',
    replacement: 'false',
    because: 'what is undefined is not written either way; the types ask for the difference',
  },
];

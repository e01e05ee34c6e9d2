/** Retries: how often, after how long, which handlers. */
export const retries = [
  {
    name: 'counts-attempts-from-nought',
    defect: 'calls the first attempt the attempt before the first',
    caughtBy: ['RT01', 'TR03'],
    changes: [
      {
        file: 'dispatch.ts',
        find: 'return Math.min(attemptsMade + unheardRuns + 1, this.options.maxAttempts);',
        replace: 'return Math.min(attemptsMade + unheardRuns, this.options.maxAttempts);',
      },
    ],
  },
  {
    name: 'grows-waits-one-step-ahead',
    defect: 'waits after the first failure as long as it should after the second',
    caughtBy: ['RT03'],
    changes: [{ file: 'retry.ts', find: 'factor ** (attempt - 1))', replace: 'factor ** attempt)' }],
  },
  {
    name: 'spreads-waits-to-one-side',
    defect: 'only ever waits longer than its policy says, never shorter',
    caughtBy: ['RT03'],
    changes: [{ file: 'retry.ts', find: 'jitter * (2 * random() - 1)', replace: 'jitter * random()' }],
  },
  {
    name: 'runs-all-handlers-again',
    defect: 'calls the handlers that succeeded again with the one that failed',
    caughtBy: ['RT05', 'SU04'],
    changes: [{ file: 'failure-policy.ts', find: 'delivery.unfinished = outcome.unfinished;', replace: '' }],
  },
  {
    name: 'tries-what-is-final-again',
    defect: 'takes a NonRetryableError for an error like any other',
    caughtBy: ['RT06'],
    changes: [
      {
        file: 'retry.ts',
        find: 'if (isNonRetryable(error) || !mayRetry(error, policy, event))',
        replace: 'if (!mayRetry(error, policy, event))',
      },
    ],
  },
  {
    name: 'does-not-ask-whether-to-retry',
    defect: 'never asks retryIf',
    caughtBy: ['RT06'],
    changes: [
      {
        file: 'retry.ts',
        find: 'return policy.retryIf?.(error, event) !== false;',
        replace: 'return true;',
      },
    ],
  },
  {
    name: 'lets-late-handlers-go-on',
    defect: 'counts a handler that took too long as failed and never aborts its signal',
    caughtBy: ['RT08'],
    changes: [{ file: 'dispatch.ts', find: 'attempt.context?.abort(error);', replace: '' }],
  },
  {
    name: 'hears-handlers-that-are-too-late',
    defect: 'lets a handler that took too long end an attempt that is over',
    caughtBy: ['RT08'],
    changes: [
      {
        file: 'dispatch.ts',
        find: 'private timedOut(attempt: Attempt): void {\n    attempt.turn += 1;',
        replace: 'private timedOut(attempt: Attempt): void {',
      },
    ],
  },
  {
    name: 'trusts-what-was-thrown',
    defect: 'reads the message of whatever a handler threw, and fails when that throws too',
    caughtBy: ['RT09'],
    changes: [
      {
        file: 'describe-error.ts',
        find: 'textOf(() => (error as { message?: unknown }).message) ??',
        replace: '(error as { message?: string }).message ??',
      },
    ],
  },
  {
    name: 'writes-symbols-into-texts',
    defect: 'cannot describe a symbol that a handler threw',
    caughtBy: ['RT09'],
    changes: [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the source
      { file: 'describe-error.ts', find: '`${String(error)} was thrown`', replace: '`${error} was thrown`' },
    ],
  },
];

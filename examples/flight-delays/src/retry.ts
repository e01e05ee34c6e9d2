/** Retries that a demo has the patience for: three, within a fifth of a second. */
export const RETRY = { maxRetries: 3, baseDelayMs: 20, maxDelayMs: 200 } as const;

/** An event that failed at this attempt is given up. */
export const LAST_ATTEMPT: number = RETRY.maxRetries + 1;

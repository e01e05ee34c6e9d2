/** Subscriptions: which handler gets which event, and in which order. */
export const subscriptions = [
  {
    name: 'remembers-one-type-for-all',
    defect: 'takes the handlers of the type that came first for those of every type',
    caughtBy: ['SU01'],
    changes: [
      {
        file: 'registry.ts',
        find: 'const cached = this.cache.get(eventType);',
        replace: 'const cached = this.cache.values().next().value;',
      },
    ],
  },
  {
    name: 'asks-wildcards-only-beside-others',
    defect: 'gives wildcards only the types that have a handler of their own',
    caughtBy: ['SU02', 'PO04'],
    changes: [
      {
        file: 'registry.ts',
        find: 'if (!typed || typed.length === 0) return this.everyone;',
        replace: 'if (!typed || typed.length === 0) return [];',
      },
    ],
  },
  {
    name: 'calls-wildcards-first',
    defect: 'calls wildcards before the handlers of the type',
    caughtBy: ['SU03'],
    changes: [
      {
        file: 'registry.ts',
        find: 'const handlers = [...typed, ...this.everyone];',
        replace: 'const handlers = [...this.everyone, ...typed];',
      },
    ],
  },
  {
    name: 'unsubscribes-the-last-registration',
    defect: 'removes the newest of several registrations of one function',
    caughtBy: ['SU03'],
    changes: [
      {
        file: 'registry.ts',
        find: 'list?.findIndex((subscription)',
        replace: 'list?.findLastIndex((subscription)',
      },
    ],
  },
  {
    name: 'keeps-who-wanted-a-type',
    defect: 'does not look again who wants a type when a handler is added',
    caughtBy: ['SU06'],
    changes: [{ file: 'registry.ts', find: '    this.cache.clear();\n', replace: '' }],
  },
  {
    name: 'stops-at-the-first-failure',
    defect: 'does not call the handlers behind one that failed',
    caughtBy: ['SU04'],
    changes: [
      {
        file: 'dispatch.ts',
        find: '    attempt.index += 1;\n    this.invokeNext(attempt);',
        replace:
          '    attempt.index = attempt.failed ? attempt.handlers.length : attempt.index + 1;\n    this.invokeNext(attempt);',
      },
    ],
  },
  {
    name: 'lets-handlers-publish-in-a-free-slot',
    defect: 'lets handlers publish only while it could start another handler',
    caughtBy: ['SU07', 'CT06'],
    changes: [
      {
        file: 'transport-event-bus.ts',
        find: 'return this.#publish(events, publishOptions ?? {});',
        replace: `while (this.#engine.running >= options.concurrency && this.state === 'ready')
            await new Promise((resolve) => setTimeout(resolve, 5));
          return this.#publish(events, publishOptions ?? {});`,
      },
    ],
  },
  {
    name: 'shows-all-handlers-one-object',
    defect: 'gives the same object to all handlers of an event',
    caughtBy: ['CT08'],
    changes: [
      {
        file: 'dispatch.ts',
        find: `if (attempt.index === 0) call(attempt.event);
    else this.readAgain(attempt, subscription, call);`,
        replace: 'call(attempt.event);',
      },
    ],
  },
];

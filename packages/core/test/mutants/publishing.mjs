/** Publishing: what a call promises about its events. */
export const publishing = [
  {
    name: 'refuses-an-empty-batch',
    defect: 'takes a publish of no events for a mistake',
    caughtBy: ['CT03'],
    changes: [
      { file: 'transport-event-bus.ts', find: 'if (list.length === 0) return;', replace: '' },
      {
        file: 'publish-path.ts',
        find: 'if (events.length === 0) return;',
        replace: "if (events.length === 0) throw new BusError('SERIALIZATION', 'Nothing to publish');",
      },
    ],
  },
  {
    name: 'publishes-part-of-a-batch',
    defect: 'sends the good events of a batch and says nothing of those that it refused',
    caughtBy: ['CT05'],
    changes: [
      {
        file: 'publish-path.ts',
        find: 'if (failures.length === 0) return records;',
        replace: 'if (failures.length < events.length) return records.filter(Boolean);',
      },
    ],
  },
  {
    name: 'keeps-quiet-about-background-failures',
    defect: 'tells nobody of a background publish that failed',
    caughtBy: ['CT06'],
    changes: [
      {
        file: 'publish-path.ts',
        find: ".catch((error: unknown) => this.parts.onError(busErrorOf(error, 'publish in the background')))",
        replace: '.catch(() => undefined)',
      },
    ],
  },
  {
    name: 'publishes-in-the-background-without-bound',
    defect: 'takes any number of background publishes',
    caughtBy: ['CT06'],
    changes: [
      {
        file: 'publish-path.ts',
        find: 'options.background === true && this.background < this.parts.options.publish.maxBackgroundPublishes;',
        replace: 'options.background === true;',
      },
    ],
  },
  {
    name: 'leaves-background-failures-unhandled',
    defect: 'forgets to catch what becomes of a background publish',
    caughtBy: ['CT06', 'CT10'],
    changes: [
      {
        file: 'publish-path.ts',
        find: ".catch((error: unknown) => this.parts.onError(busErrorOf(error, 'publish in the background')))",
        replace: '',
      },
    ],
  },
  {
    name: 'says-with-a-plain-error-that-it-is-closed',
    defect: 'rejects calls after its shutdown with an error that has no code',
    caughtBy: ['CT10', 'LC06'],
    changes: [
      {
        file: 'lifecycle.ts',
        find: "if (this.#state === 'draining' || this.#state === 'closed') throw busClosed(call);",
        replace: "if (this.#state === 'draining' || this.#state === 'closed') throw new Error(call);",
      },
    ],
  },
  {
    name: 'sends-again-behind-what-came-later',
    defect: 'puts what a broken connection refused at the end of its queue',
    caughtBy: ['OR07'],
    changes: [
      {
        file: 'accumulator.ts',
        find: 'this.queue.prepend(again);',
        replace: 'for (const pending of again) this.queue.push(pending);',
      },
    ],
  },
  {
    name: 'gives-a-publish-up-at-once',
    defect: 'rejects a publish when its first send fails, though another might work',
    caughtBy: ['FA01'],
    changes: [
      {
        file: 'accumulator.ts',
        find: 'if (error?.retryable && this.clock.elapsedMs() < pending.ticket.deadlineMs) again.push(pending);',
        replace: 'if (false) again.push(pending);',
      },
    ],
  },
  {
    name: 'forgets-what-it-did-not-flush',
    defect: 'never answers the publishes that its shutdown cuts off',
    caughtBy: ['LC06'],
    changes: [
      {
        file: 'accumulator.ts',
        find: '    for (const pending of open) this.settle(pending, error);\n',
        replace: '',
      },
    ],
  },
];

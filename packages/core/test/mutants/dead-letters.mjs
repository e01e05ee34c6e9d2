/** Dead letters and poison: nothing is given up in silence, and nothing stalls. */
export const deadLetters = [
  {
    name: 'does-not-settle-what-it-gave-up',
    defect: 'writes the dead letter and leaves the event unsettled',
    caughtBy: ['DL01'],
    changes: [
      {
        file: 'failure-policy.ts',
        find: `...this.statusFacts(delivery, why, event) });
      this.actions.settle(delivery);`,
        replace: '...this.statusFacts(delivery, why, event) });',
      },
    ],
  },
  {
    name: 'compares-places-as-texts',
    defect: 'goes on in the list of dead letters behind 9 with 91, not with 10',
    caughtBy: ['DL03'],
    changes: [
      {
        file: 'memory/memory-stream.ts',
        find: 'Number(letter.id) > Number(after)',
        replace: 'letter.id > after',
      },
    ],
  },
  {
    name: 'counts-the-last-page',
    defect: 'counts the dead letters of one page for all',
    caughtBy: ['DL03'],
    changes: [
      { file: 'dead-letter-queue.ts', find: 'count += page.length;', replace: 'count = page.length;' },
    ],
  },
  {
    name: 'purges-every-type',
    defect: 'overlooks the type in a filter of dead letters',
    caughtBy: ['DL05'],
    changes: [
      {
        file: 'dead-letter-filter.ts',
        find: '(eventType === undefined || letter.eventType === eventType) &&',
        replace: '',
      },
    ],
  },
  {
    name: 'purges-every-group',
    defect: 'shows and purges the dead letters of other groups with its own',
    caughtBy: ['DL05'],
    changes: [
      {
        file: 'dead-letter-filter.ts',
        find: '(group === undefined || letter.group === group) &&',
        replace: '',
      },
    ],
  },
  {
    name: 'drops-without-a-word',
    defect: 'drops an event and does not count it',
    caughtBy: ['DL07', 'ST01'],
    changes: [{ file: 'failure-policy.ts', find: 'this.parts.stats.eventsDropped += 1;', replace: '' }],
  },
  {
    name: 'goes-on-where-it-should-halt',
    defect: 'says that a partition halted, and goes on behind the event that was given up',
    caughtBy: ['DL07'],
    changes: [{ file: 'failure-policy.ts', find: 'lane.halt();', replace: 'this.actions.settle(delivery);' }],
  },
  {
    name: 'counts-what-another-admin-replayed',
    defect: 'says that it gave a dead letter back which another admin had taken before',
    caughtBy: ['DL08', 'DL04'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'if (this.stream.removeDeadLetters(new Set([letter.id])) === 0) return false;',
        replace: 'if (this.stream.removeDeadLetters(new Set([letter.id])) === 0) return true;',
      },
    ],
  },
  {
    name: 'replays-what-is-gone',
    defect: 'gives a dead letter back a second time',
    caughtBy: ['DL04'],
    changes: [
      {
        file: 'memory/memory-transport.ts',
        find: 'if (this.stream.removeDeadLetters(new Set([letter.id])) === 0) return false;',
        replace: 'this.stream.removeDeadLetters(new Set([letter.id]));',
      },
    ],
  },
  {
    name: 'does-not-validate-what-arrives',
    defect: 'holds events against their schema only when they are published',
    caughtBy: ['PO02'],
    changes: [
      {
        file: 'schema-check.ts',
        find: 'if (!definition?.schema) return valid(event);',
        replace: 'return valid(event);',
      },
    ],
  },
  {
    name: 'makes-up-an-id',
    defect: 'gives an id to an event that came without one',
    caughtBy: ['PO03'],
    changes: [
      {
        file: 'json-event-reader.ts',
        find: "const eventId = requiredText(fields.event_id, 'event_id');",
        replace:
          "const eventId = optionalText(fields.event_id, 'event_id') ?? globalThis.crypto.randomUUID();",
      },
    ],
  },
  {
    name: 'keeps-what-it-should-ignore',
    defect: 'makes dead letters of unknown types that it was told to ignore',
    caughtBy: ['PO04'],
    changes: [
      {
        file: 'dispatch.ts',
        find: "if (unknownEvents === 'ignore') return this.report(delivery, IGNORED, 0);",
        replace: '',
      },
    ],
  },
  {
    name: 'tries-unreadable-bytes-again',
    defect: 'waits and reads again what it could not read, while its key stands still',
    caughtBy: ['PO05', 'PO01'],
    changes: [
      {
        file: 'failure-policy.ts',
        find: "if (outcome.kind === 'unhandleable') {",
        replace: "if (outcome.kind === 'unhandleable' && delivery.attemptsMade > options.retry.maxRetries) {",
      },
    ],
  },
  {
    name: 'copies-a-prototype',
    defect: 'sets the prototype of data to what a stranger wrote',
    caughtBy: ['PO06'],
    changes: [
      {
        file: 'json-event-reader.ts',
        find: "if (name === '__proto__') throw unreadable('the field name __proto__ is refused');",
        replace: '',
      },
    ],
  },
];

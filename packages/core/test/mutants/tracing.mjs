/** Tracing: one trace from who publishes to who handles. */
export const tracing = [
  {
    name: 'names-spans-the-old-way',
    defect: 'names the destination of a span before its operation',
    caughtBy: ['TR02'],
    changes: [
      {
        file: 'process-span.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the source
        find: '`process ${info.destination}`',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the source
        replace: '`${info.destination} process`',
      },
    ],
  },
  {
    name: 'hides-failures-from-spans',
    defect: 'records no exception when a handler fails',
    caughtBy: ['TR03'],
    changes: [
      { file: 'dispatch.ts', find: 'attempt.span?.handlerFailed(error, subscription.name);', replace: '' },
    ],
  },
  {
    name: 'replays-without-a-trace',
    defect: 'gives a dead letter back without its trace context',
    caughtBy: ['TR04'],
    changes: [
      {
        file: 'headers.ts',
        find: 'return ATTEMPT_NAMES.has(name) ||',
        replace: "return ATTEMPT_NAMES.has(name) || name.startsWith('trace') ||",
      },
    ],
  },
  {
    name: 'runs-handlers-outside-their-span',
    defect: 'does not make the span of an attempt the active one of its handler',
    caughtBy: ['TR05', 'TR04'],
    changes: [
      {
        file: 'dispatch.ts',
        find: 'const result = attempt.span ? attempt.span.run(call) : subscription.invoke(event, context);',
        replace: 'const result = call();',
      },
    ],
  },
  {
    name: 'gives-a-batch-one-context',
    defect: 'gives all events of a batch the same trace context',
    caughtBy: ['TR05', 'TR02'],
    changes: [
      {
        file: 'publish-span.ts',
        find: 'if (info.events.length > 1 && info.createSpans) {',
        replace: 'if (info.events.length > 100 && info.createSpans) {',
      },
    ],
  },
  {
    name: 'reads-a-trace-of-no-version',
    defect: 'goes on with a trace context whose version there cannot be',
    caughtBy: ['TR06'],
    changes: [{ file: 'w3c.ts', find: '/^(?!ff)(', replace: '/^(' }],
  },
];

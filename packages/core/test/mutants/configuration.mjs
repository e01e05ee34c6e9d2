/** Options: what is refused, and what is chosen where nothing is given. */
export const configuration = [
  {
    name: 'ignores-unknown-options',
    defect: 'overlooks an option that it does not know',
    caughtBy: ['CF01'],
    changes: [
      {
        file: 'options-rules.ts',
        find: 'if (!names.includes(name)) place.report(inside(place.path, name), unknownName(name, names));',
        replace: '',
      },
    ],
  },
  {
    name: 'takes-contradictions',
    defect: 'checks each option by itself, and none against another',
    caughtBy: ['CF02'],
    changes: [
      {
        file: 'options-rules.ts',
        find: "if (message !== undefined) report(paths[0] ?? '', message);",
        replace: '',
      },
    ],
  },
  {
    name: 'keeps-the-options-that-it-was-given',
    defect: 'reads its options from the object of its caller, who may change it',
    caughtBy: ['CF02'],
    changes: [
      {
        file: 'options-rules.ts',
        find: 'const complete: Record<string, unknown> = {};',
        replace: 'const complete: Record<string, unknown> = given;',
      },
      {
        file: 'options-rules.ts',
        find: 'return Object.freeze(complete) as T;',
        replace: 'return complete as T;',
      },
    ],
  },
  {
    name: 'starts-groups-at-the-end',
    defect: 'gives a new group only what comes after it, when nothing is configured',
    caughtBy: ['CF03'],
    changes: [
      {
        file: 'options.ts',
        find: "default: ({ ephemeralGroup }) => (ephemeralGroup === true ? 'latest' : 'earliest'),",
        replace: "default: 'latest',",
      },
    ],
  },
];

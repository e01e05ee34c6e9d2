/** Payloads: what JSON and headers carry, and what they must refuse. */
export const payloads = [
  {
    name: 'leaves-it-to-json',
    defect: 'writes whatever JSON writes, with what that changes and leaves out',
    caughtBy: ['CT07', 'PL05'],
    changes: [{ file: 'json-event-writer.ts', find: 'if (kind === REFUSED) {', replace: 'if (false) {' }],
  },
  {
    name: 'takes-null-for-absent',
    defect: 'drops the fields of data that are null',
    caughtBy: ['PL01', 'PL06'],
    changes: [
      {
        file: 'json-event-reader.ts',
        find: 'data[name] = fields[name];',
        replace: 'if (fields[name] !== null) data[name] = fields[name];',
      },
    ],
  },
  {
    name: 'sends-half-surrogates',
    defect: 'publishes half a surrogate pair, which arrives as something else',
    caughtBy: ['PL02'],
    changes: [
      {
        file: 'json-event-writer.ts',
        find: 'if (json.includes(MAYBE_HALF_SURROGATE)) refuseHalfSurrogates(event);',
        replace: '',
      },
    ],
  },
  {
    name: 'normalises-keys',
    defect: 'writes the key of a record in another Unicode form than the event has it',
    caughtBy: ['PL02'],
    changes: [
      {
        file: 'envelope.ts',
        find: 'const key: unknown = given ?? event.aggregateId;',
        replace: "const key: unknown = (given ?? event.aggregateId)?.normalize?.('NFC');",
      },
    ],
  },
  {
    name: 'does-not-name-its-codec',
    defect: 'sends bytes of another codec without saying so',
    caughtBy: ['PL03'],
    changes: [
      {
        file: 'envelope.ts',
        find: 'if (codec.contentType !== JSON_CONTENT_TYPE) headers[HEADER.contentType] = codec.contentType;',
        replace: '',
      },
    ],
  },
  {
    name: 'refuses-the-largest-event',
    defect: 'refuses an event of exactly the size that is allowed',
    caughtBy: ['PL04'],
    changes: [
      {
        file: 'envelope.ts',
        find: 'const value = encoded(event, codec);\n  if (value.byteLength > maxEventBytes) {',
        replace: 'const value = encoded(event, codec);\n  if (value.byteLength >= maxEventBytes) {',
      },
    ],
  },
  {
    name: 'forgets-the-sign-of-zero',
    defect: 'makes 0 of -0',
    caughtBy: ['PL05', 'PL06'],
    changes: [
      {
        file: 'json-values.ts',
        find: 'if (value === 0) return 1 / value < 0 ? EXACT : PLAIN;',
        replace: 'if (value === 0) return PLAIN;',
      },
    ],
  },
  {
    name: 'writes-small-bigints',
    defect: 'publishes BigInts that come back as numbers',
    caughtBy: ['PL05', 'CT07'],
    changes: [
      { file: 'json-values.ts', find: 'return !spellsItself(String(value));', replace: 'return true;' },
    ],
  },
  {
    name: 'rounds-large-integers-in-metadata',
    defect: 'reads large integers exactly in data, and rounds them in metadata',
    caughtBy: ['PL06'],
    changes: [
      {
        file: 'json-event-reader.ts',
        find: 'if (isDataExact || isMetadataExact) {',
        replace: 'if (isDataExact) {',
      },
    ],
  },
  {
    name: 'renames-a-header',
    defect: 'writes the type of an event under another name than other libraries read',
    caughtBy: ['PL08'],
    changes: [{ file: 'headers.ts', find: "eventType: 'event_type',", replace: "eventType: 'eventType'," }],
  },
  {
    name: 'wants-every-version',
    defect: 'refuses what older publishers wrote without a version',
    caughtBy: ['PL08'],
    changes: [
      {
        file: 'json-event-reader.ts',
        find: 'if (value === undefined || value === null) return 1;',
        replace: 'if (value === null) return 1;',
      },
    ],
  },
];

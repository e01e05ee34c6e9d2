import {
  EMPTY_JOURNAL,
  formatJournal,
  type JournalDocument,
  parseJournal,
  serialFrom,
  takeOver,
} from '../src/journal.js';

const terms = { partition: 0, opener: 'new', maxAttempts: 4, suspectWindow: 100 };

function journals(documents: Record<number, Partial<JournalDocument>>): Map<number, JournalDocument> {
  return new Map(
    Object.entries(documents).map(([partition, document]) => [
      Number(partition),
      { ...EMPTY_JOURNAL, ...document },
    ]),
  );
}

describe('taking a partition over', () => {
  it('counts no death after a clean hand-over', () => {
    const after = takeOver(journals({ 0: { failures: new Map([['7', 2]]) } }), terms);
    expect(after).toMatchObject({ opener: 'new', anonymousDeaths: 0, suspects: 0 });
    expect(after.failures.get('7')).toBe(2);
  });

  it('counts an anonymous death when the former owner left its name', () => {
    expect(takeOver(journals({ 0: { opener: 'old' } }), terms)).toEqual({
      ...EMPTY_JOURNAL,
      opener: 'new',
      anonymousDeaths: 1,
      suspects: 100,
    });
  });

  it('counts no death when the same opener gets the partition back', () => {
    expect(takeOver(journals({ 0: { opener: 'new' } }), terms)).toMatchObject({
      anonymousDeaths: 0,
      suspects: 0,
    });
  });

  it('caps anonymous deaths two below the attempts, so that the last two strikes are always alone', () => {
    const after = takeOver(journals({ 0: { opener: 'old', anonymousDeaths: 2, suspects: 5 } }), terms);
    expect(after.anonymousDeaths).toBe(2);
    const once = takeOver(journals({ 0: { opener: 'old' } }), { ...terms, maxAttempts: 1 });
    expect(once.anonymousDeaths).toBe(1);
  });

  it('lays a death on the event of the newest intent', () => {
    const after = takeOver(
      journals({
        0: { opener: 'old', intent: { position: '9', sequence: 5 }, anonymousDeaths: 3, suspects: 5 },
      }),
      terms,
    );
    expect(after.deaths.get('9')).toBe(4);
    expect(after.anonymousDeaths).toBe(3);
  });

  it.each([3, 4, 8])('gives no event up for one cut in its connection, with %i attempts', (maxAttempts) => {
    const limits = { ...terms, maxAttempts };
    let journal: JournalDocument = EMPTY_JOURNAL;
    const die = (life: number, intent?: JournalDocument['intent']): void => {
      const left = { ...journal, opener: `life-${life}`, ...(intent ? { intent } : {}) };
      journal = takeOver(new Map([[0, left]]), limits);
    };
    // Deaths over a neighbour, until those of the partition run alone; then the next in line is only cut off.
    let deaths = 0;
    while (journal.anonymousDeaths < serialFrom(maxAttempts)) {
      deaths += 1;
      die(deaths);
    }
    die(deaths + 1, { position: '9', sequence: 1 });
    expect(journal.deaths.get('9')).toBeLessThan(maxAttempts);
    die(deaths + 2, { position: '9', sequence: 1 });
    expect(journal.deaths.get('9')).toBe(maxAttempts);
  });

  it('blames nobody when the attempt of the newest intent had ended', () => {
    const after = takeOver(
      journals({ 0: { opener: 'old', intent: { position: undefined, sequence: 5 }, suspects: 5 } }),
      terms,
    );
    expect(after).toEqual({
      ...EMPTY_JOURNAL,
      opener: 'new',
      previous: { opener: 'old', sequence: 5 },
      suspects: 5,
    });
  });

  it('blames nobody here when what the dead owner intended was elsewhere', () => {
    const elsewhere = { opener: 'old', intent: { position: '2', sequence: 6 } };
    const after = takeOver(journals({ 0: { opener: 'old' }, 1: elsewhere }), terms);
    expect(after).toEqual({
      ...EMPTY_JOURNAL,
      opener: 'new',
      previous: { opener: 'old', sequence: 6 },
    });
  });

  it('adds a death to those that the event has', () => {
    const deaths = new Map([
      ['9', 1],
      ['8', 1],
    ]);
    const after = takeOver(
      journals({
        0: { opener: 'old', intent: { position: '9', sequence: 5 }, anonymousDeaths: 3, deaths },
        1: { opener: 'old', intent: { position: '2', sequence: 4 } },
        2: { opener: 'stranger', intent: { position: '2', sequence: 9 } },
        3: { opener: 'x', previous: { opener: 'stranger', sequence: 9 } },
        4: { opener: 'x', intent: { position: '2', sequence: 9 }, previous: { opener: 'old', sequence: 3 } },
      }),
      terms,
    );
    expect([...after.deaths]).toEqual([
      ['9', 2],
      ['8', 1],
    ]);
    expect(after.previous).toEqual({ opener: 'old', sequence: 5 });
  });

  it('does not blame a staler intent of the same process in another partition', () => {
    const after = takeOver(
      journals({
        0: { opener: 'old', intent: { position: '9', sequence: 5 }, anonymousDeaths: 3 },
        1: { opener: 'old', intent: { position: '2', sequence: 6 } },
      }),
      terms,
    );
    expect(after.deaths.size).toBe(0);
    expect(after.anonymousDeaths).toBe(3);
  });

  it('does not blame a staler intent when another process took the guilty partition over first', () => {
    const first = journals({
      0: { opener: 'old', intent: { position: '9', sequence: 5 }, anonymousDeaths: 3 },
      1: { opener: 'old', intent: { position: '2', sequence: 6 }, anonymousDeaths: 3 },
    });
    const second = new Map(first).set(1, takeOver(first, { ...terms, partition: 1, opener: 'other' }));
    expect(second.get(1)?.deaths.get('2')).toBe(4);
    expect(takeOver(second, terms).deaths.size).toBe(0);
  });
});

describe('the stored journal', () => {
  it('reads back what was written', () => {
    const journal: JournalDocument = {
      opener: 'a',
      intent: { position: '12', sequence: 3 },
      previous: { opener: 'b', sequence: 2 },
      failures: new Map([['1', 2]]),
      deaths: new Map([['4', 1]]),
      anonymousDeaths: 2,
      suspects: 40,
    };
    expect(parseJournal(formatJournal(journal))).toEqual(journal);
  });

  it.each([
    undefined,
    '',
    'not json',
    'null',
    '[]',
    '{"a":5,"d":"x","u":-1,"i":7,"q":"z","l":"no","c":null}',
    '{broken',
  ])('reads %p as empty', (text) => {
    expect(parseJournal(text)).toEqual(EMPTY_JOURNAL);
  });

  it('holds nothing that need not be said', () => {
    expect(formatJournal(EMPTY_JOURNAL)).toBe('{}');
    expect(formatJournal({ ...EMPTY_JOURNAL, intent: { position: undefined, sequence: 3 } })).toBe('{"q":3}');
    expect(parseJournal('{"q":3}')).toEqual({
      ...EMPTY_JOURNAL,
      intent: { position: undefined, sequence: 3 },
    });
  });

  it.each([
    ['a name that is none', '{"o":1,"d":2}', { anonymousDeaths: 2 }],
    ['an intent without a sequence', '{"i":"7","d":2}', { anonymousDeaths: 2 }],
    ['a position that is none', '{"i":7,"q":3}', { intent: { position: undefined, sequence: 3 } }],
    ['a former intent without its owner', '{"l":[1,2],"d":2}', { anonymousDeaths: 2 }],
    ['a former intent without its sequence', '{"l":["a","2"],"d":2}', { anonymousDeaths: 2 }],
    ['a former intent that is no pair', '{"l":{"0":"a","1":2},"d":2}', { anonymousDeaths: 2 }],
    ['counts that are none', '{"a":{"1":0,"2":-1,"3":1.5,"4":"1","5":1}}', { failures: new Map([['5', 1]]) }],
    ['broken numbers', '{"d":1.5,"u":"3"}', {}],
  ])('leaves out %s', (_what, text, rest) => {
    expect(parseJournal(text)).toEqual({ ...EMPTY_JOURNAL, ...rest });
  });

  it('reads nothing longer than 65,536 characters', () => {
    const padded = (length: number): string => '{"d":2}'.padEnd(length);
    expect(parseJournal(padded(65_536)).anonymousDeaths).toBe(2);
    expect(parseJournal(padded(65_537))).toEqual(EMPTY_JOURNAL);
  });

  it('keeps the newest 20 deaths, and counts that just fit', () => {
    const deaths = new Map(Array.from({ length: 21 }, (_, i) => [`p${i}`, 1] as const));
    expect([...parseJournal(formatJournal({ ...EMPTY_JOURNAL, deaths })).deaths.keys()]).toEqual(
      [...deaths.keys()].slice(1),
    );
    const bytesOf = (name: string): number =>
      Buffer.byteLength(formatJournal({ ...EMPTY_JOURNAL, failures: new Map([[name, 1]]) }));
    const fitting = 'x'.repeat(4_000 - bytesOf(''));
    expect(bytesOf(fitting)).toBe(4_000);
    expect(bytesOf(`${fitting}x`)).toBeLessThan(4_000);
  });

  it('is written also when nothing more can be left out', () => {
    const long = 'x'.repeat(5_000);
    const text = formatJournal({ ...EMPTY_JOURNAL, deaths: new Map([[long, 1]]) });
    expect(parseJournal(text).deaths.get(long)).toBe(1);
  });

  it('drops a fifth of the failures at a time until it fits', () => {
    const failures = new Map(Array.from({ length: 300 }, (_, i) => [`1700000000000-${i}`, 1] as const));
    expect(parseJournal(formatJournal({ ...EMPTY_JOURNAL, failures })).failures.size).toBe(153);
  });

  it('never exceeds 4,000 bytes, and keeps the oldest counts', () => {
    const failures = new Map(Array.from({ length: 2_000 }, (_, i) => [`1700000000000-${i}`, 1] as const));
    const text = formatJournal({ ...EMPTY_JOURNAL, opener: 'a', failures });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_000);
    expect(parseJournal(text).failures.get('1700000000000-0')).toBe(1);
  });
});

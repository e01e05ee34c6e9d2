import { EMPTY_JOURNAL, parseJournal } from '../src/journal.js';
import { JournalKeeper } from '../src/journal-keeper.js';

/** Stores one at a time, when told. */
class Shelf {
  readonly stored: string[] = [];
  readonly waiting: { readonly journal: string; resolve(): void; reject(error: Error): void }[] = [];

  readonly store = (journal: string): Promise<void> =>
    new Promise((resolve, reject) => {
      this.waiting.push({
        journal,
        resolve: () => {
          this.stored.push(journal);
          resolve();
        },
        reject,
      });
    });

  async take(): Promise<void> {
    this.waiting.shift()?.resolve();
    await new Promise(setImmediate);
  }

  async refuse(): Promise<void> {
    this.waiting.shift()?.reject(new Error('no'));
    await new Promise(setImmediate);
  }
}

describe('saving a journal', () => {
  it('has one save under way, and the next holds everything that was asked for meanwhile', async () => {
    const shelf = new Shelf();
    const keeper = new JournalKeeper(shelf.store, 4);
    keeper.open('me');
    const saves = [keeper.save()];
    keeper.setFailures('1', 1);
    saves.push(keeper.save());
    keeper.setFailures('2', 1);
    saves.push(keeper.save());
    expect(shelf.waiting).toHaveLength(1);
    await shelf.take();
    expect(shelf.waiting).toHaveLength(1);
    await shelf.take();
    await Promise.all(saves);
    expect(shelf.stored.map((journal) => [...parseJournal(journal).failures.keys()])).toEqual([
      [],
      ['1', '2'],
    ]);
  });

  it('fails who asked for what could not be stored, and saves again for the others', async () => {
    const shelf = new Shelf();
    const keeper = new JournalKeeper(shelf.store, 4);
    const first = keeper.save();
    const refused = expect(first).rejects.toThrow('no');
    keeper.setFailures('1', 1);
    const second = keeper.save();
    await shelf.refuse();
    await refused;
    await shelf.take();
    await second;
    await Promise.all([keeper.save(), shelf.take()]);
    expect(shelf.stored).toHaveLength(2);
  });
});

describe('what a journal holds', () => {
  const keeper = (): JournalKeeper => new JournalKeeper(async () => undefined, 4);

  it('forgets an event that is done, and leaves the others', () => {
    const journal = keeper();
    journal.load({
      ...EMPTY_JOURNAL,
      failures: new Map([
        ['1', 2],
        ['2', 1],
      ]),
      deaths: new Map([['1', 1]]),
    });
    expect(journal.attemptsOf('1')).toEqual({ failures: 2, deaths: 1 });
    const before = journal.text();
    journal.forget('1');
    expect(journal.text()).not.toBe(before);
    expect(journal.attemptsOf('1')).toEqual({ failures: 0, deaths: 0 });
    expect(journal.attemptsOf('2')).toEqual({ failures: 1, deaths: 0 });
  });

  it('is serial until the suspects are past, by their number or by their time', () => {
    for (const advance of [
      (journal: JournalKeeper): void => {
        journal.advance(2, false);
        expect(journal.serial).toBe(true);
        journal.advance(1, false);
      },
      (journal: JournalKeeper): void => journal.advance(1, true),
    ]) {
      const journal = keeper();
      journal.load({ ...EMPTY_JOURNAL, anonymousDeaths: 3, suspects: 3 });
      expect([journal.serial, journal.suspicious]).toEqual([true, true]);
      advance(journal);
      expect([journal.serial, journal.suspicious]).toEqual([false, false]);
      expect(parseJournal(journal.text()).anonymousDeaths).toBe(0);
    }
  });

  it('names its owner and its intent until the hand-over', () => {
    const journal = keeper();
    journal.open('me');
    journal.setIntent('7', 2);
    expect(parseJournal(journal.text())).toMatchObject({
      opener: 'me',
      intent: { position: '7', sequence: 2 },
    });
    expect([journal.intends(2), journal.intends(1)]).toEqual([true, false]);
    journal.close();
    expect(journal.intends(2)).toBe(false);
    expect(parseJournal(journal.text())).toEqual(EMPTY_JOURNAL);
  });

  it.each<[string, (journal: JournalKeeper) => void, object]>([
    ['an opening', (journal) => journal.open('you'), { opener: 'you' }],
    ['a hand-over', (journal) => journal.close(), { opener: undefined, intent: undefined }],
    ['an intent', (journal) => journal.setIntent('8', 3), { intent: { position: '8', sequence: 3 } }],
    ['an intent withdrawn', (journal) => journal.withdrawIntent(), { intent: undefined }],
    ['a failure', (journal) => journal.setFailures('5', 1), { failures: ['1', '5'] }],
    [
      'a failure of what it intended',
      (journal) => journal.setFailures('7', 1),
      { failures: ['1', '7'], intent: { position: undefined, sequence: 2 } },
    ],
    ['a failed event that is done', (journal) => journal.forget('1'), { failures: [] }],
    ['a deadly event that is done', (journal) => journal.forget('2'), { deaths: [] }],
    [
      'what it intended being done',
      (journal) => journal.forget('7'),
      { intent: { position: undefined, sequence: 2 } },
    ],
    ['an event of which it knows nothing', (journal) => journal.forget('6'), {}],
    ['fewer suspects', (journal) => journal.advance(2, false), { suspects: 1 }],
    ['no move', (journal) => journal.advance(0, true), {}],
    ['more moves than suspects', (journal) => journal.advance(5, false), { suspects: 0, anonymousDeaths: 0 }],
    ['a move past them', (journal) => journal.advance(1, true), { suspects: 0, anonymousDeaths: 0 }],
  ])('is written anew after %s', (_what, change, changed) => {
    const journal = keeper();
    const before = {
      opener: 'me',
      intent: { position: '7', sequence: 2 },
      previous: { opener: 'dead', sequence: 1 },
      failures: ['1'],
      deaths: ['2'],
      anonymousDeaths: 1,
      suspects: 3,
    };
    journal.load({ ...before, failures: new Map([['1', 1]]), deaths: new Map([['2', 1]]) });
    const written = (): object => {
      const { failures, deaths, ...rest } = parseJournal(journal.text());
      return { ...rest, failures: [...failures.keys()], deaths: [...deaths.keys()] };
    };
    expect(written()).toEqual(before);
    change(journal);
    expect(written()).toEqual({ ...before, ...changed });
  });

  it('is another after another was loaded, and says at first that it knows nothing', () => {
    const journal = keeper();
    expect(parseJournal(journal.text())).toEqual(EMPTY_JOURNAL);
    journal.load({ ...EMPTY_JOURNAL, suspects: 2 });
    expect([journal.suspicious, journal.serial]).toEqual([true, false]);
    expect(parseJournal(journal.text()).suspects).toBe(2);
  });

  it('blames no death on events that came after its suspects', () => {
    const journal = keeper();
    journal.load({ ...EMPTY_JOURNAL, anonymousDeaths: 3 });
    expect([journal.suspicious, journal.serial]).toEqual([false, false]);
    journal.advance(1, true);
    expect(parseJournal(journal.text()).anonymousDeaths).toBe(3);
  });
});

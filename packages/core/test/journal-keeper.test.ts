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
});

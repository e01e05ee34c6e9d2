import { setImmediate as turn } from 'node:timers/promises';

import { EMPTY_JOURNAL, formatJournal, type JournalDocument, parseJournal } from '../src/journal.js';
import { closeEngines, type HandPort, handEngine, NO_JOURNALS, recordOf } from './engine-harness.js';
import { until } from './memory-buses.js';

afterEach(closeEngines);

/** Somebody died here, and one more death would use up the attempts. */
const DIED = new Map([[0, formatJournal({ ...EMPTY_JOURNAL, opener: 'dead', anonymousDeaths: 1 })]]);
const TWO_TRIES = { concurrency: 4, retry: { maxRetries: 1, baseDelayMs: 600_000, maxDelayMs: 600_000 } };

function intentIn(port: HandPort): JournalDocument['intent'] {
  return parseJournal(port.journals.at(-1)).intent;
}

describe('events that run one at a time after a crash', () => {
  it('are not blamed for a death once their attempt has ended', async () => {
    const { assign } = handEngine(TWO_TRIES, () => {
      throw new Error('no');
    });
    const { lane, port } = assign(0);
    await lane.open(DIED);
    lane.deliver([recordOf(5, 'a')]);
    await until('the note of the failure', () => parseJournal(port.journals.at(-1)).failures.size === 1);
    expect(intentIn(port)).toEqual({ position: undefined, sequence: 1 });
  });

  it('are given up for crashes when deaths are among the attempts that a failure uses up', async () => {
    const { assign } = handEngine({ retry: { maxRetries: 3 } }, () => {
      throw new Error('no');
    });
    const { lane, port } = assign(0);
    const left = { opener: 'dead', intent: { position: '5', sequence: 1 }, anonymousDeaths: 2, suspects: 9 };
    await lane.open(new Map([[0, formatJournal({ ...EMPTY_JOURNAL, ...left })]]));
    lane.deliver([recordOf(5, 'a')]);
    await until('the dead letter', () => port.letters.length === 1);
    expect(port.letters[0]?.headers.dlq_reason).toBe('crash');
  });

  it('are written down in every partition, also where no suspect waits', async () => {
    const started: string[] = [];
    const { assign } = handEngine(TWO_TRIES, ({ aggregateId }) => {
      started.push(aggregateId);
      if (aggregateId === 'suspect') throw new Error('no');
    });
    const [suspects, other] = [assign(0), assign(1)];
    await Promise.all([suspects.lane.open(DIED), other.lane.open(NO_JOURNALS)]);
    suspects.lane.deliver([recordOf(0, 'suspect')]);
    await until('the suspect', () => started.length === 1);
    other.lane.deliver([recordOf(7, 'other')]);
    await until('the other', () => started.length === 2);
    expect(intentIn(other.port)).toEqual({ position: '7', sequence: 2 });
  });

  it('stay alone behind an event whose publisher gave it a time that is still to come', async () => {
    const started: string[] = [];
    const { assign } = handEngine(TWO_TRIES, ({ aggregateId }) => void started.push(aggregateId));
    const { lane, port } = assign(0);
    await lane.open(DIED);
    lane.deliver([recordOf(0, 'forged', { timestampMs: Date.now() + 60_000 })]);
    await until('the forged one', () => port.settledPositions.length === 1);
    lane.deliver([recordOf(1, 'suspect')]);
    await until('the suspect', () => started.length === 2);
    expect(port.journals.map((text) => parseJournal(text).intent?.position)).toContain('1');
  });

  it('are not blamed for what runs beside others later: what was written down is withdrawn first', async () => {
    let release = (): void => undefined;
    const { engine, assign } = handEngine(TWO_TRIES, ({ aggregateId }) =>
      aggregateId === 'suspect' ? undefined : new Promise((resolve) => (release = resolve)),
    );
    const [suspects, other] = [assign(0), assign(1)];
    await Promise.all([suspects.lane.open(DIED), other.lane.open(NO_JOURNALS)]);
    const openedAtMs = Date.now();
    await until('a time after the take-over', () => Date.now() > openedAtMs);
    // Younger than the take-over: with it the suspects are past.
    suspects.lane.deliver([recordOf(0, 'suspect', { timestampMs: Date.now() })]);
    await until('the suspect', () => suspects.port.settledPositions.length === 1);
    let saved = (): void => undefined;
    suspects.port.saving = () => new Promise((resolve) => (saved = resolve));
    other.lane.deliver([recordOf(1, 'x'), recordOf(2, 'y')]);
    await turn();
    expect(intentIn(suspects.port)).toMatchObject({ sequence: 1 });
    await until('the withdrawal', () => {
      saved();
      return intentIn(suspects.port) === undefined;
    });
    await until('both', () => engine.running === 2);
    release();
  });
});

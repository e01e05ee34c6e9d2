import { countReordered } from '../src/audit/order.js';
import type { HandlerRun } from '../src/handler-run.js';
import { run, runs } from './evidence.js';

const none: ReadonlySet<string> = new Set();

/** All attempts at a version, without success. */
function givenUp(version: number, startedAtUs: number): HandlerRun[] {
  return [1, 2, 3, 4].map((attempt) =>
    run('DFW', version, startedAtUs + attempt * 20, { outcome: 'failed', attempt }),
  );
}

describe('The order check', () => {
  it('is content with rising versions, airport by airport', () => {
    expect(countReordered([...runs('DFW', [1, 2, 3]), ...runs('ORD', [1, 2])], none)).toBe(0);
  });

  it('does not depend on the order in which the records arrived', () => {
    expect(countReordered(runs('DFW', [1, 2, 3]).reverse(), none)).toBe(0);
  });

  it('counts an event that was handled after a later one of its airport', () => {
    expect(countReordered(runs('DFW', [1, 3, 2, 4]), none)).toBe(1);
  });

  it('counts it also when another consumer handles it', () => {
    const late = run('DFW', 2, 900, { consumer: 'consumer-2' });
    expect(countReordered([...runs('DFW', [1, 3, 4]), late], none)).toBe(1);
  });

  it('counts an event that started before the one ahead had ended', () => {
    const overlapping = [run('DFW', 1, 0, { endedAtUs: 150 }), run('DFW', 2, 100)];
    expect(countReordered(overlapping, none)).toBe(1);
  });

  it('takes a retry in its place as in order', () => {
    const retried = [
      run('DFW', 1, 0, { outcome: 'failed' }),
      run('DFW', 1, 100, { attempt: 2 }),
      run('DFW', 2, 200),
    ];
    expect(countReordered(retried, none)).toBe(0);
  });

  it('counts a retry that let a later event pass', () => {
    const passed = [
      run('DFW', 1, 0, { outcome: 'failed' }),
      run('DFW', 2, 100),
      run('DFW', 1, 200, { attempt: 2 }),
    ];
    expect(countReordered(passed, none)).toBe(1);
  });

  it('leaves it to the count of duplicates when handled events come again', () => {
    const again = [3, 4, 5].map((version, index) =>
      run('DFW', version, 1_000 + index * 100, { consumer: 'consumer-2' }),
    );
    expect(countReordered([...runs('DFW', [1, 2, 3, 4]), ...again], none)).toBe(0);
  });

  it('takes a dead letter that comes again as settled only when it is listed', () => {
    const done = [...givenUp(1, 0), run('DFW', 2, 200), run('DFW', 1, 500)];
    expect(countReordered(done, new Set(['DFW-1']))).toBe(0);
    expect(countReordered(done, none)).toBe(1);
  });

  it('counts attempts at a later dead letter that let another event pass', () => {
    const [first, ...others] = givenUp(1, 0).map((entry, index) => ({
      ...entry,
      startedAtUs: index * 200,
      endedAtUs: index * 200 + 10,
    }));
    const passed = [...(first ? [first] : []), run('DFW', 2, 100), ...others];
    expect(countReordered(passed, new Set(['DFW-1']))).toBe(3);
  });
});

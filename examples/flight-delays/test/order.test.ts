import { countReordered } from '../src/audit/order.js';
import { run, runs } from './evidence.js';

const nobody: ReadonlySet<string> = new Set();

describe('The order check', () => {
  it('is content with rising versions, airport by airport', () => {
    expect(countReordered([...runs('DFW', [1, 2, 3]), ...runs('ORD', [1, 2])], nobody)).toBe(0);
  });

  it('does not depend on the order in which the records arrived', () => {
    expect(countReordered(runs('DFW', [1, 2, 3]).reverse(), nobody)).toBe(0);
  });

  it('counts an event that was handled after a later one of its airport', () => {
    expect(countReordered(runs('DFW', [1, 3, 2, 4]), nobody)).toBe(1);
  });

  it('counts an event that started before the one before it had ended', () => {
    const overlapping = [run('DFW', 1, 0, { endedAtUs: 150 }), run('DFW', 2, 100)];
    expect(countReordered(overlapping, nobody)).toBe(1);
  });

  it('takes a retry in its place as in order', () => {
    const retried = [
      run('DFW', 1, 0, { outcome: 'failed' }),
      run('DFW', 1, 100, { attempt: 2 }),
      run('DFW', 2, 200),
    ];
    expect(countReordered(retried, nobody)).toBe(0);
  });

  it('counts a retry that let a later event pass', () => {
    const passed = [
      run('DFW', 1, 0, { outcome: 'failed' }),
      run('DFW', 2, 100),
      run('DFW', 1, 200, { attempt: 2 }),
    ];
    expect(countReordered(passed, nobody)).toBe(1);
  });

  it('lets a consumer begin again where a dead one had not acknowledged', () => {
    const before = runs('DFW', [1, 2, 3, 4]);
    const after = [3, 4, 5].map((version, index) =>
      run('DFW', version, 1_000 + index * 100, { consumer: 'consumer-2' }),
    );
    expect(countReordered([...before, ...after], new Set(['consumer-1']))).toBe(0);
  });

  it('counts the step back as out of order when the first consumer lives', () => {
    const before = runs('DFW', [1, 2, 3, 4]);
    const after = [3, 4, 5].map((version, index) =>
      run('DFW', version, 1_000 + index * 100, { consumer: 'consumer-2' }),
    );
    expect(countReordered([...before, ...after], nobody)).toBe(1);
  });

  it('counts a step back after the take-over from a dead consumer', () => {
    const before = runs('DFW', [1, 2, 3, 4]);
    const after = [5, 3].map((version, index) =>
      run('DFW', version, 1_000 + index * 100, { consumer: 'consumer-2' }),
    );
    expect(countReordered([...before, ...after], new Set(['consumer-1']))).toBe(1);
  });
});

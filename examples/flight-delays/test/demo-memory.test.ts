import { parseAudit, startDemo } from './demo-process.js';

describe('The demo on memory', () => {
  it.each([1, 3])('ends with a clean audit with %d consumers', async (consumers) => {
    const demo = startDemo('--events', '2000', '--consumers', String(consumers));
    const { code } = await demo.ended;
    expect({ code, output: code === 0 ? '' : demo.output() }).toEqual({ code: 0, output: '' });
    const audit = parseAudit(demo.output());
    expect(audit).toMatchObject({
      published: [2_000, 2_000],
      handled: [2_000, 2_000],
      lost: [0, 0],
      duplicated: [0, 0],
      reordered: [0, 0],
      'dead-lettered': [2, 0],
      replayed: [2, 0],
    });
    expect(Math.min(...(audit.retried ?? []))).toBeGreaterThan(0);
    expect(demo.output()).toContain('8 of 8 equal what the handlers recorded');
    expect(demo.output()).toMatch(/Clean: nothing was lost, doubled or out of order/);
  });

  it('shows no colours and no bar where there is no terminal', async () => {
    const demo = startDemo('--events', '50');
    await demo.ended;
    expect(demo.output()).not.toContain('\u001b');
  });

  it('ends with 130 after Ctrl-C', async () => {
    const demo = startDemo();
    await demo.shows(/10 %/);
    demo.child.kill('SIGINT');
    expect(await demo.ended).toEqual({ code: 130, signal: null });
    expect(demo.output()).not.toContain('Audit');
  });
});

describe('The command line', () => {
  it.each([
    [['--evnts', '5'], /Did you mean --events\?/],
    [['--events', '0'], /whole number from 1 to 20000/],
    [['--consumers', '9'], /whole number from 1 to 8/],
    [['--bus', 'pigeon'], /memory, kafka, redis/],
    [['everything'], /too many arguments/],
  ])('refuses %j with a hint and code 2', async (args, hint) => {
    const demo = startDemo(...args);
    expect((await demo.ended).code).toBe(2);
    expect(demo.output()).toMatch(hint);
    expect(demo.output()).toContain('--help');
  });

  it('explains itself', async () => {
    const demo = startDemo('--help');
    expect((await demo.ended).code).toBe(0);
    expect(demo.output()).toMatch(/--bus[\s\S]*--events[\s\S]*--consumers/);
  });
});

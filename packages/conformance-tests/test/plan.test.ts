import { CATALOGUE } from '../src/catalogue.js';
import { makePlan, selectIds } from '../src/plan.js';
import { type ConformanceCase, suite } from '../src/registry.js';
import { ReportBuilder } from '../src/report.js';
import type { ConformanceSubject } from '../src/subject.js';

const subject: ConformanceSubject = {
  name: 'test',
  create: () => {
    throw new Error('not called');
  },
  capabilities: {
    durable: true,
    competing: true,
    history: 'position',
    processes: false,
    sockets: false,
    orderedRetry: true,
    batchAtomic: true,
    retained: true,
    trimming: false,
    security: false,
    topology: false,
    sharing: 'partition',
    cloudEvents: false,
  },
  inspect: { putRaw: () => Promise.resolve({ partition: 0, position: '0' }) },
};

const run = (): Promise<void> => Promise.resolve();

function planOf(one: ConformanceCase): unknown {
  const plan = makePlan(subject, [suite(one.id.slice(0, 2), [one])], selectIds([one.id]));
  const planned = plan.areas[0]?.cases[0];
  return planned && { kind: planned.kind, ...('reason' in planned ? { reason: planned.reason } : {}) };
}

describe('catalogue', () => {
  it('has 120 ids, each once', () => {
    expect(new Set(CATALOGUE.map((entry) => entry.id)).size).toBe(120);
    expect(CATALOGUE).toHaveLength(120);
  });

  it('is selected by level, area and id', () => {
    expect([...selectIds(['CC'])]).toEqual(['CC01', 'CC02', 'CC03', 'CC04', 'CC05', 'CC06']);
    expect([...selectIds(['or01', 'OR02'])]).toEqual(['OR01', 'OR02']);
    expect(selectIds(['L1', 'L2', 'L3', 'L4']).size).toBe(120);
    expect(() => selectIds(['XX'])).toThrow('XX names no id');
  });
});

describe('plan', () => {
  it('runs a case whose needs are met', () => {
    expect(planOf({ id: 'PO01', requires: ['inspect.putRaw', 'history'], run })).toEqual({ kind: 'run' });
  });

  it('asks for no fault of a server where there is none', () => {
    expect(planOf({ id: 'CT02', requires: ['faults.pause'], run })).toMatchObject({
      kind: 'n/a',
      reason: expect.stringContaining('without a socket'),
    });
  });

  it('says why a case does not apply when a capability is missing', () => {
    expect(planOf({ id: 'CC05', requires: ['processes'], run })).toMatchObject({
      kind: 'n/a',
      reason: expect.stringContaining('inside one process'),
    });
    expect(planOf({ id: 'RP02', requires: ['history-by-time'], run })).toMatchObject({ kind: 'n/a' });
  });

  it('inverts a case that can show the refusal', () => {
    expect(planOf({ id: 'RP04', requires: ['trimming'], run, otherwise: run })).toMatchObject({
      kind: 'inverted',
    });
  });

  it('does not run a case whose tools are missing, and names the tool', () => {
    expect(planOf({ id: 'DL06', requires: ['faults.breakDeadLetters'], run })).toEqual({
      kind: 'not-run',
      reason: 'the subject provides no faults.breakDeadLetters',
    });
  });

  it('refuses a case in the suite of another area', () => {
    expect(() => suite('CT', [{ id: 'OR01', run }])).toThrow('OR01 does not belong to CT');
  });
});

describe('report', () => {
  it('lists every id, also those without a test', () => {
    const report = new ReportBuilder().build('test', { name: 'none', version: '0' });
    expect(Object.keys(report.ids)).toHaveLength(120);
    expect(report.ids.CT01).toEqual({
      status: 'not-run',
      reason: 'the kit has no test for it yet',
      ms: 0,
    });
  });

  it('lets the worst case of an id decide', () => {
    const builder = new ReportBuilder();
    builder.add('CT01', { status: 'pass', ms: 1 });
    builder.add('CT01', { status: 'n/a', reason: 'cannot', ms: 1 });
    expect(builder.resultOf('CT01')).toEqual({ status: 'pass', ms: 2 });
    builder.add('CT01', { status: 'not-run', reason: 'no tool', ms: 0 });
    expect(builder.resultOf('CT01')).toMatchObject({ status: 'not-run', reason: 'no tool' });
    builder.add('CT01', { status: 'fail', reason: 'broken', ms: 0 });
    expect(builder.resultOf('CT01')).toMatchObject({ status: 'fail', reason: 'broken' });
  });
});

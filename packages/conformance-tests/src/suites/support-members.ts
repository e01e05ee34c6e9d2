import { monotonicMs } from '../clock.js';
import type { CaseContext, Consumer } from '../context.js';
import { NotRunError } from '../registry.js';
import type { BusOverrides } from '../subject.js';

/** A member of a group that can be hurt: a process where there can be one, else a member of a broker in this process. */
export interface Mortal {
  readonly name: string;
  /** Dies without a word. */
  kill(): Promise<void>;
  /** Hangs, until the broker believes it to be dead. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** What it counted. Not while it is frozen, nor when it is dead. */
  stats(): Promise<Counted>;
}

/** Counters that come through a pipe as they are. */
export interface Counted {
  readonly eventsProcessedSuccess: number;
  readonly fencedSettlements: number;
  readonly inFlight: number;
}

/** Starts a consumer that does what events ask for, and that can be hurt. */
export async function mortalConsumer(
  t: CaseContext,
  request: {
    readonly name: string;
    readonly group?: string;
    readonly namespace?: string;
    readonly overrides?: BusOverrides;
  },
): Promise<Mortal> {
  const { name, group = 'group', namespace = t.namespace } = request;
  const overrides = { ...request.overrides, consumerName: name };
  return t.subject.capabilities.processes
    ? childMember(t, { name, group, namespace, overrides })
    : localMember(t, { name, group, namespace, overrides });
}

/** What a member does next, it does with handlers that run: otherwise it depends on the moment what is tested. */
export async function untilAtWork(t: CaseContext, { name, group }: Consumer): Promise<void> {
  await t.until(
    `a handler of ${name} to run`,
    () => t.history.of(group, { consumer: name }).some(({ outcome }) => outcome === 'running'),
    { withinMs: t.budget.takeoverMs, everyMs: 1 },
  );
}

interface MemberRequest {
  readonly name: string;
  readonly group: string;
  readonly namespace: string;
  readonly overrides: BusOverrides;
}

async function childMember(t: CaseContext, request: MemberRequest): Promise<Mortal> {
  const child = await t.processes.spawn({ role: 'consumer', ...request });
  return {
    name: request.name,
    kill: async () => {
      await child.kill();
    },
    freeze: async () => child.freeze(),
    thaw: async () => child.thaw(),
    stats: () => child.call<Counted>('stats'),
  };
}

async function localMember(t: CaseContext, request: MemberRequest): Promise<Mortal> {
  const { faults } = t;
  if (!faults.killMember || !faults.freezeMember || !faults.thawMember) {
    throw new NotRunError(
      'the subject has no processes and no faults.killMember, freezeMember and thawMember',
    );
  }
  const { name } = request;
  const consumer = await t.consumer(request);
  const gone = (): void => t.record({ kind: 'gone', consumer: name, atMs: monotonicMs() });
  return {
    name,
    kill: async () => {
      await faults.killMember(name);
      gone();
    },
    freeze: async () => {
      gone();
      await faults.freezeMember(name);
    },
    thaw: () => faults.thawMember(name),
    stats: async () => consumer.bus.stats,
  };
}

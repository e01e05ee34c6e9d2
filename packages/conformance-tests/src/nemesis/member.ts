import type { EventBusStats } from '@omnibus/core';

import { behave, behaviourOf } from '../behaviour.js';
import { monotonicMs } from '../clock.js';
import type { CaseContext } from '../context.js';
import { recordedHandler } from '../recorder.js';
import type { BusOverrides, ProxiedSubject } from '../subject.js';
import { gate } from '../suites/support.js';

/** A consumer that can be hurt. */
export interface Member {
  readonly name: string;
  readonly group: string;
  /** Resolves when it is dead, or has left. */
  readonly ended: Promise<void>;
  /** Dies without a word. */
  kill(): Promise<void>;
  /** Hangs, until the broker believes it to be dead. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Leaves in order; resolves to what it counted. */
  leave(): Promise<EventBusStats>;
  /** What it counted so far. */
  stats(): Promise<EventBusStats>;
}

/** What is asked of a member. */
export interface MemberRequest {
  readonly name: string;
  readonly group: string;
  readonly overrides: BusOverrides;
  /** The way that can fail; undefined: straight to the broker. */
  readonly way: ProxiedSubject | undefined;
}

/** Starts a member: a process where there can be one. Resolves when it consumes. */
export function startMember(t: CaseContext, request: MemberRequest): Promise<Member> {
  return t.subject.capabilities.processes ? startChild(t, request) : startLocal(t, request);
}

async function startChild(t: CaseContext, request: MemberRequest): Promise<Member> {
  const { name, group, way } = request;
  const overrides = { ...request.overrides, consumerName: name };
  const child = t.processes.launch(
    { role: 'consumer', name, group, namespace: t.namespace, overrides },
    way?.processEnv ?? {},
  );
  const exited = child.exited.then(() => {});
  try {
    await child.ready();
  } catch (error) {
    if (child.running) await child.kill();
    throw error;
  }
  return {
    name,
    group,
    ended: exited,
    kill: async () => void (await child.kill()),
    freeze: async () => child.freeze(),
    thaw: async () => child.thaw(),
    stats: () => child.call<EventBusStats>('stats'),
    async leave() {
      await child.call('shutdown');
      const stats = await child.call<EventBusStats>('stats');
      await child.kill();
      return stats;
    },
  };
}

/**
 * In one process with the broker nothing can stop a member but itself: a dead or frozen one starts no handler, and what
 * it was doing no longer counts.
 */
async function startLocal(t: CaseContext, request: MemberRequest): Promise<Member> {
  const { name, group, way } = request;
  const bus = await t.bus({
    group,
    overrides: { ...request.overrides, consumerName: name },
    ...(way ? { through: way } : {}),
  });
  const end = gate();
  let awake = gate();
  awake.open();
  const standStill = (): void => {
    awake = gate();
    t.record({ kind: 'gone', consumer: name, atMs: monotonicMs() });
  };
  const kill = async (): Promise<void> => {
    standStill();
    await t.faults.killMember(name);
    void bus.shutdown({ timeoutMs: 0 });
    end.open();
  };
  const recorded = recordedHandler(t.record, { group, consumer: name }, async (event, context) => {
    if (!behaviourOf(event).dieAttempts) return behave(event, context);
    void kill();
    await new Promise(() => {});
  });
  bus.subscribeToAllEvents(async (event, context) => {
    await awake.opened;
    context.signal.throwIfAborted();
    await recorded(event, context);
  });
  await bus.startConsuming();
  return {
    name,
    group,
    ended: end.opened,
    kill,
    async freeze() {
      standStill();
      await t.faults.freezeMember(name);
    },
    async thaw() {
      await t.faults.thawMember(name);
      awake.open();
    },
    stats: async () => bus.stats,
    async leave() {
      await bus.shutdown();
      end.open();
      return bus.stats;
    },
  };
}

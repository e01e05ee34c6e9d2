import type { CaseContext } from '../context.js';
import { pause } from '../poll.js';
import type { NodeFaults, ProxiedSubject } from '../subject.js';
import type { Crew, Place } from './crew.js';
import type { Fault, FaultKind } from './schedule.js';

/** What faults are done to. */
export interface Victims {
  readonly t: CaseContext;
  readonly crew: Crew;
  readonly groups: readonly string[];
  /** Undefined when the broker is reached without a network. */
  readonly way: ProxiedSubject | undefined;
}

/** Does a fault, waits for its time, and ends it. Resolves when it is over. */
export async function inject(fault: Fault, victims: Victims): Promise<void> {
  await INJECTORS[fault.kind](fault, victims);
}

const INJECTORS: Readonly<Record<FaultKind, (fault: Fault, victims: Victims) => Promise<void>>> = {
  async 'broker-restart'({ forMs }, { t }) {
    await t.faults.stop();
    await pause(forMs);
    await t.faults.start();
  },
  async 'broker-kill'({ forMs }, { t }) {
    await t.faults.kill();
    await pause(forMs);
    await t.faults.start();
  },
  async 'broker-freeze'({ forMs }, { t }) {
    await t.faults.pause();
    await pause(forMs);
    await t.faults.resume();
  },
  async 'node-kill'({ forMs, target }, { t }) {
    await downFor(forMs, [nodeAt(t.faults.nodes, target)]);
  },
  async 'node-freeze'({ forMs, target }, { t }) {
    const node = nodeAt(t.faults.nodes, target);
    await node.pause();
    await pause(forMs);
    await node.resume();
  },
  async 'majority-kill'({ forMs, target }, { t }) {
    const { nodes } = t.faults;
    const first = nodes.indexOf(nodeAt(nodes, target));
    const some = Math.floor(nodes.length / 2) + 1;
    await downFor(
      forMs,
      Array.from({ length: some }, (_, n) => nodes[(first + n) % nodes.length] as NodeFaults),
    );
  },
  async 'rolling-restart'({ forMs }, { t }) {
    for (const node of t.faults.nodes) {
      await node.stop();
      await pause(forMs);
      await node.start();
      await pause(forMs);
    }
  },
  async 'network-cut'(_, { way }) {
    await way?.network.cut();
  },
  async 'network-half-open'({ forMs }, { way }) {
    await way?.network.halfOpen();
    await pause(forMs);
    await way?.network.heal();
  },
  async 'network-slow'({ forMs, delayMs }, { way }) {
    await way?.network.latency(delayMs);
    await pause(forMs);
    await way?.network.heal();
  },
  async 'consumer-kill'({ forMs, target }, { crew }) {
    const place = chosen(crew, target);
    if (place) await crew.kill(place, forMs);
  },
  async 'consumer-freeze'({ forMs, target }, { crew }) {
    const member = chosen(crew, target)?.member;
    await member?.freeze();
    await pause(forMs);
    await member?.thaw();
  },
  async 'consumer-join'({ forMs, target }, { crew, groups }) {
    const group = groups[Math.floor(target * groups.length)] ?? '';
    const place = crew.open(`${group}-joined-${crew.places.length}`, group);
    await pause(forMs);
    await crew.vacate(place);
  },
  async 'consumer-leave'({ forMs, target }, { crew }) {
    const place = chosen(crew, target);
    if (!place) return;
    await crew.vacate(place);
    await pause(forMs);
    place.wanted = true;
    void crew.fill(place);
  },
  async deploy(_, { crew }) {
    for (const place of [...crew.places]) if (place.wanted) await crew.replace(place);
  },
};

async function downFor(forMs: number, nodes: readonly NodeFaults[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.kill()));
  await pause(forMs);
  await Promise.all(nodes.map((node) => node.start()));
}

function nodeAt(nodes: readonly NodeFaults[], target: number): NodeFaults {
  return nodes[Math.floor(target * nodes.length)] as NodeFaults;
}

function chosen({ places }: Crew, target: number): Place | undefined {
  const manned = places.filter(({ member }) => member !== undefined);
  return manned[Math.floor(target * manned.length)];
}

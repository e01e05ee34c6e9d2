import type { NetworkFaults } from '../network-faults.js';
import type { CreateRequest, Faults, NodeFaults, ProxiedSubject } from '../subject.js';

/** How to hurt a broker that is a process. */
export interface BrokerControl {
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Orderly; data stay. */
  down(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** As `Faults.settle`. */
  settle?(): Promise<void>;
}

/** What a broker that is started for a run can be done to: which ids can be run has to be known before it is. */
export interface Provides {
  readonly control: boolean;
  readonly proxied: boolean;
  /** As `ConformanceSubject.survivesKill`. @default false */
  readonly survivesKill?: boolean;
}

/** A way to a broker that can fail. */
export interface ProxiedWay {
  readonly network: NetworkFaults;
  /** Makes a bus that goes this way. */
  readonly create: (request: CreateRequest) => ReturnType<ProxiedSubject['create']>;
  /** Makes child processes go this way. */
  readonly processEnv: Readonly<Record<string, string>>;
}

/** The faults of what is a process, or several. It is asked for when it is needed. */
export function processFaults(control: () => BrokerControl): NodeFaults {
  return {
    stop: () => control().down(),
    kill: () => control().kill(),
    start: () => control().start(),
    pause: () => control().pause(),
    resume: () => control().resume(),
  };
}

/** The faults of a broker as a process, and of the network before it. Both are asked for when they are needed. */
export function brokerFaults(
  provides: Provides,
  control: () => BrokerControl | undefined,
  proxied: () => ProxiedWay | undefined,
): Faults {
  const controlled = (): BrokerControl => {
    const given = control();
    if (!given) throw new Error('this broker cannot be controlled');
    return given;
  };
  return {
    ...(provides.control
      ? { ...processFaults(controlled), settle: async () => controlled().settle?.() }
      : {}),
    ...(provides.proxied
      ? {
          throughProxy: () => {
            const way = proxied();
            if (!way) throw new Error('this broker has no proxy before it');
            return Promise.resolve({ ...way, close: () => way.network.heal() });
          },
        }
      : {}),
  };
}

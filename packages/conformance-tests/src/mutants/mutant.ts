import type { MemoryMutation } from '../shipped/memory.js';

/** A bus with one deliberate defect, and the ids that must find it. */
export interface Mutant {
  readonly name: string;
  /** What is wrong with it, as a sentence without its subject. */
  readonly defect: string;
  /** At least one of these fails. All of them pass on the healthy bus. */
  readonly caughtBy: readonly string[];
  /** Fresh state for each run. */
  mutate(): MemoryMutation;
  /** Ends what the defect leaves running in this process. */
  dispose?(): void;
}

/** `target` with some of its members replaced; the others work on `target` itself. */
export function withChanges<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

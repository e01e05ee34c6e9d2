import { KafkaSession } from './kafka-session.js';

/** The sessions of a run: one for each namespace that is looked at, and one for what concerns no stream. */
export class KafkaSessions {
  readonly #brokers: () => readonly string[];
  readonly #byNamespace = new Map<string, Promise<KafkaSession>>();

  constructor(brokers: () => readonly string[]) {
    this.#brokers = brokers;
  }

  of(namespace: string): Promise<KafkaSession> {
    const known = this.#byNamespace.get(namespace);
    if (known) return known;
    const opening = KafkaSession.open(this.#brokers());
    this.#byNamespace.set(namespace, opening);
    return opening;
  }

  /** For groups and lists of topics: names no topic, so that deleted ones do not concern it. */
  shared(): Promise<KafkaSession> {
    return this.of('');
  }

  async closeOf(namespace: string): Promise<void> {
    const session = this.#byNamespace.get(namespace);
    this.#byNamespace.delete(namespace);
    await (await session)?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byNamespace.keys()].map((namespace) => this.closeOf(namespace)));
  }
}

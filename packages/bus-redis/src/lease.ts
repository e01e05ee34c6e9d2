import type { Elapsed } from '@omnibus/core/transport';

/**
 * The right to a partition. The server ends it when nothing is heard of the owner for as long as it lasts; the owner
 * itself ends it earlier, because it counts from when it asked and the server from when it answered.
 */
export class Lease {
  constructor(
    readonly partition: number,
    /** Different for each ownership: what the server compares. */
    readonly token: string,
    private readonly leaseMs: number,
    private asked: Elapsed,
  ) {}

  get isHeld(): boolean {
    return this.asked.ms < this.leaseMs;
  }

  /** The server prolonged it. `asked` runs since the request left. */
  renewed(asked: Elapsed): void {
    this.asked = asked;
  }
}

/** The member that a token belongs to. */
export function holderOf(token: string): string {
  return token.slice(0, token.lastIndexOf(':'));
}

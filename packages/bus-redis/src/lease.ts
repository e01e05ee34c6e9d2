import type { Elapsed } from '@omnibus/core/transport';

/**
 * The right to a partition. The server ends it when nothing is heard of the owner for as long as it lasts; the owner
 * itself ends it earlier, because it counts from when it asked and the server from when it answered.
 */
export class Lease {
  /** Under way: the answer to a reissue. */
  clearing: Promise<void> | undefined;
  private issue = 0;
  private doubted = false;

  constructor(
    readonly partition: number,
    /** Different for each ownership. */
    private readonly name: string,
    private readonly leaseMs: number,
    private asked: Elapsed,
  ) {}

  get isHeld(): boolean {
    return this.asked.ms < this.leaseMs;
  }

  /** What the server compares. */
  get token(): string {
    return `${this.name}.${this.issue}`;
  }

  /** The next one. The same until it is known to be at the server. */
  get nextToken(): string {
    return `${this.name}.${this.issue + 1}`;
  }

  get isDoubted(): boolean {
    return this.doubted;
  }

  /** The server prolonged it. `asked` runs since the request left. */
  renewed(asked: Elapsed): void {
    this.asked = asked;
  }

  /**
   * A command got no answer, because its connection broke. It may have been done, it may still be done: nothing may
   * follow it under the same token.
   */
  doubt(): void {
    this.doubted = true;
  }

  /** The next token is at the server: commands of before do nothing any more. */
  reissued(asked: Elapsed): void {
    this.issue += 1;
    this.doubted = false;
    this.asked = asked;
  }
}

/** The member that a token belongs to. */
export function holderOf(token: string): string {
  return token.slice(0, token.lastIndexOf(':'));
}

import type { TransportEvents } from '@omnibus/core/transport';

/** What a transport told. */
export class Told implements TransportEvents {
  readonly disconnections: Error[] = [];
  reconnections = 0;
  readonly ownerships: (readonly number[])[] = [];
  readonly errors: Error[] = [];
  readonly warnings: string[] = [];
  fencedCount = 0;

  disconnected(cause: Error): void {
    this.disconnections.push(cause);
  }
  reconnected(): void {
    this.reconnections += 1;
  }
  rebalanced(_group: string, partitions: readonly number[]): void {
    this.ownerships.push([...partitions].sort((a, b) => a - b));
  }
  error(error: Error): void {
    this.errors.push(error);
  }
  warning(message: string): void {
    this.warnings.push(message);
  }
  fenced(count: number): void {
    this.fencedCount += count;
  }
}

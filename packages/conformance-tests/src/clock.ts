const NANOSECONDS_PER_MS = 1e6;

/**
 * Milliseconds of the machine's monotonic clock. All processes of one machine read the same one, so that times from
 * children can be compared with our own; the wall clock may jump.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / NANOSECONDS_PER_MS;
}

/** What a process should hold of one answer: far more than honest producers write. */
const MAX_BYTES = 134_217_728;
const MAX_RECORDS = 200_000;

/**
 * How much of an answer is decoded. A compressed batch may be a thousand times as large as the bytes that were fetched,
 * and a record takes more memory than bytes; so the bytes of a fetch say little. What is left over is fetched again.
 */
export class DecodeBudget {
  private bytes = 0;
  private records = 0;

  constructor(
    private readonly maxBytes: number = MAX_BYTES,
    private readonly maxRecords: number = MAX_RECORDS,
  ) {}

  get isSpent(): boolean {
    return this.bytes >= this.maxBytes || this.records >= this.maxRecords;
  }

  /** How many records more. */
  get recordsLeft(): number {
    return Math.max(0, this.maxRecords - this.records);
  }

  spend(bytes: number, records: number): void {
    this.bytes += bytes;
    this.records += records;
  }
}

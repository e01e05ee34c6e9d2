/** More than any fetch asks for. What other protocols begin with reads as more: `HTTP` as 1.2 GB. */
const MAX_ANSWER_BYTES = 1_073_741_824;
const LENGTH_BYTES = 4;

/** Follows the answers on a connection, each with its length before it, and finds a length that cannot be true. */
export class AnswerLengths {
  private readonly length = Buffer.alloc(LENGTH_BYTES);
  private known = 0;
  private left = 0;

  /** Takes what arrived. The first length that cannot be true; undefined when there is none. */
  absurdIn(data: Uint8Array): number | undefined {
    for (let at = 0; at < data.length; ) {
      if (this.left > 0) {
        const bytes = Math.min(this.left, data.length - at);
        this.left -= bytes;
        at += bytes;
      } else {
        this.length[this.known] = data[at] as number;
        this.known = (this.known + 1) % LENGTH_BYTES;
        at += 1;
        if (this.known > 0) continue;
        this.left = this.length.readInt32BE(0);
        if (this.left < 0 || this.left > MAX_ANSWER_BYTES) return this.left;
      }
    }
    return undefined;
  }
}

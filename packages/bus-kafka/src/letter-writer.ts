import type { OutboundRecord } from '@omnibus/core/transport';
import type { Publisher } from './publisher.js';
import type { TopicView } from './topic-view.js';

interface Pending {
  readonly letter: OutboundRecord;
  resolve(): void;
  reject(error: Error): void;
}

const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 500_000;

/** Writes dead letters: those that come while others are being written travel together. */
export class LetterWriter {
  private waiting: Pending[] = [];
  private writing = false;

  constructor(
    private readonly publisher: Publisher,
    private readonly view: TopicView,
  ) {}

  /** Resolves when the letter is stored. */
  write(letter: OutboundRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ letter, resolve, reject });
      if (this.writing) return;
      this.writing = true;
      setImmediate(() => void this.writeAll());
    });
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.next();
      const failures = await this.publisher.send(
        batch.map(({ letter }) => ({
          ...letter,
          partition: letter.partition % Math.max(1, this.view.partitions),
        })),
      );
      batch.forEach((pending, index) => {
        const error = failures.get(index);
        if (error) pending.reject(error);
        else pending.resolve();
      });
    }
    this.writing = false;
  }

  private next(): Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { letter } of this.waiting) {
      bytes += letter.value.byteLength;
      if (count > 0 && (count === MAX_BATCH || bytes > MAX_BATCH_BYTES)) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }
}

import { delay } from '@omnibus/core/transport';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { lettersOf } from './letters.js';
import { withLock } from './lock.js';
import { QueueHold } from './queue-hold.js';

/** Where the dead letters of a group are. */
export interface DeskPlace {
  readonly queue: string;
  readonly lock: string;
  readonly timeoutMs: number;
}

/** Dead letters that are on the desk: they can be taken out by their id. */
export interface DeskSession {
  /** Keeps others in this process from taking it too. False when it is not there. */
  reserve(id: string): boolean;
  /** It stays after all. */
  putBack(id: string): void;
  /** Takes what was reserved out for good. Resolves when that is durable. */
  remove(ids: readonly string[]): Promise<void>;
}

/** How long the desk waits for the next letter to be dealt with before it is cleared. */
const LINGER_MS = 50;

/**
 * The dead letters of a group as one process after the other deals with them. To take out one, everything before it has to
 * be held; so the desk stays laid for a moment, in case more are to be taken out.
 */
export class DeadLetterDesk {
  private session: Promise<OpenSession> | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly model: () => ChannelModel,
    private readonly place: DeskPlace,
  ) {}

  /** Shows every letter in order, without taking any. Rejects with reply code 404 where there is no queue. */
  browse(seen: (id: string, message: ConsumeMessage) => void): Promise<void> {
    return this.alone(async (model) => {
      const see = lettersOf(seen);
      const hold = await QueueHold.open(model, this.place.queue, this.place.timeoutMs, see);
      await hold.close(model);
    });
  }

  /** Works on the letters that are there. */
  async use<T>(work: (session: DeskSession) => Promise<T>): Promise<T> {
    const open = await this.join();
    try {
      return await work(open);
    } finally {
      open.leave();
    }
  }

  private async join(): Promise<OpenSession> {
    for (;;) {
      this.session ??= this.begin();
      const open = await this.session;
      if (open.enter()) return open;
    }
  }

  private begin(): Promise<OpenSession> {
    const opened = new Promise<OpenSession>((resolve, reject) => {
      this.alone(async (model) => {
        const open = await OpenSession.start(model, this.place);
        resolve(open);
        await open.over;
        if (this.session === opened) this.session = undefined;
        await open.close(model);
      }).catch(reject);
    });
    opened.catch(() => {
      if (this.session === opened) this.session = undefined;
    });
    return opened;
  }

  /** One after the other in this process, and one process after the other. */
  private alone<T>(work: (model: ChannelModel) => Promise<T>): Promise<T> {
    void this.session?.then((open) => open.hurry()).catch(() => undefined);
    const { lock, timeoutMs } = this.place;
    const turn = this.last.then(async () => {
      const model = this.model();
      return withLock(model, lock, timeoutMs, () => work(model));
    });
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

class OpenSession implements DeskSession {
  /** Resolves when nobody needs it any more. */
  readonly over: Promise<void>;
  private end: () => void = () => undefined;
  private users = 0;
  private isOver = false;
  private lingering: AbortController | undefined;
  private readonly tags = new Map<string, number>();
  private readonly reserved = new Map<string, number>();

  private constructor() {
    this.over = new Promise((resolve) => {
      this.end = () => {
        this.isOver = true;
        resolve();
      };
    });
  }

  private hold: QueueHold | undefined;

  static async start(model: ChannelModel, { queue, timeoutMs }: DeskPlace): Promise<OpenSession> {
    const session = new OpenSession();
    const see = lettersOf((id, { fields }) => session.tags.set(id, fields.deliveryTag));
    session.hold = await QueueHold.open(model, queue, timeoutMs, see);
    session.linger();
    return session;
  }

  enter(): boolean {
    if (this.isOver) return false;
    this.users += 1;
    this.lingering?.abort();
    return true;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.linger();
  }

  /** Somebody else waits. */
  hurry(): void {
    if (this.users === 0) this.end();
  }

  reserve(id: string): boolean {
    const tag = this.tags.get(id);
    if (tag === undefined) return false;
    this.tags.delete(id);
    this.reserved.set(id, tag);
    return true;
  }

  putBack(id: string): void {
    const tag = this.reserved.get(id);
    this.reserved.delete(id);
    if (tag !== undefined) this.tags.set(id, tag);
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const tag = this.reserved.get(id);
      this.reserved.delete(id);
      if (tag !== undefined) this.hold?.remove(tag);
    }
    await this.hold?.flush();
  }

  async close(model: ChannelModel): Promise<void> {
    await this.hold?.close(model);
  }

  private linger(): void {
    const lingering = new AbortController();
    this.lingering = lingering;
    void delay(LINGER_MS, lingering.signal).then(() => {
      if (!lingering.signal.aborted) this.end();
    });
  }
}

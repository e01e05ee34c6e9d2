import type { ChannelModel } from 'amqplib';

/** What amqplib's connection has beside its types. */
interface FrameReader {
  /** What has arrived and is not read yet. */
  rest: Buffer;
  /** The next frame; false when it has not arrived. */
  recvFrame(): unknown;
}

/** A frame that amqplib has taken apart. */
interface Method {
  readonly id: number | undefined;
}

/** What amqplib's channels have beside their types. */
interface ClosingChannel {
  /** From then on only the end of the channel is listened for. */
  toClosing(...rest: unknown[]): void;
  accept(frame: Method): void;
}

/** Where amqplib's connection gives a channel its number. */
interface ChannelMaker {
  freshChannel(channel: ClosingChannel, options: unknown): number;
}

const CHANNEL_CLOSE = 0x00_14_00_28;
const CHANNEL_CLOSE_OK = 0x00_14_00_29;
const HEADER_FRAME = 2;
/** Type, channel and length, before what a frame holds. */
const PREFIX_BYTES = 7;
/** Class, weight and length of the body, before the properties. */
const HEADER_BYTES = 12;
const NO_PROPERTIES = Buffer.from([0, 0]);
const FRAME_END = Buffer.from([0xce]);

/**
 * amqplib reads tables inside tables by recursion, and gives the connection up when the stack does not reach for it. The
 * broker would deliver the message again, for ever. So it is read without its properties: its body is what counts.
 */
export function readWhateverNests({ connection }: ChannelModel): void {
  const reader = connection as unknown as FrameReader;
  const recvFrame = reader.recvFrame.bind(reader);
  reader.recvFrame = () => {
    const { rest } = reader;
    try {
      return recvFrame();
    } catch (error) {
      const bare = error instanceof RangeError ? withoutProperties(rest) : undefined;
      if (!bare) throw error;
      reader.rest = Buffer.concat([bare, reader.rest]);
      return recvFrame();
    }
  };
}

/** The same frame without properties, when it is the whole header of a message. */
function withoutProperties(bytes: Buffer): Buffer | undefined {
  if (bytes.length < PREFIX_BYTES + HEADER_BYTES || bytes[0] !== HEADER_FRAME) return undefined;
  if (bytes.length <= PREFIX_BYTES + bytes.readUInt32BE(3)) return undefined;
  const prefix = Buffer.from(bytes.subarray(0, PREFIX_BYTES));
  prefix.writeUInt32BE(HEADER_BYTES + NO_PROPERTIES.length, 3);
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + HEADER_BYTES);
  return Buffer.concat([prefix, header, NO_PROPERTIES, FRAME_END]);
}

/**
 * Both sides may close a channel at once. RabbitMQ forgets the channel with amqplib's answer to its close, as a rule behind
 * its own answer to ours, but not always: the channel would never be gone, with all who wait for something on it. So its
 * close is answered when it has answered ours.
 */
export function closeBehindBroker({ connection }: ChannelModel): void {
  const maker = connection as unknown as ChannelMaker;
  const freshChannel = maker.freshChannel.bind(maker);
  maker.freshChannel = (channel, options) => {
    const toClosing = channel.toClosing.bind(channel);
    channel.toClosing = (...rest) => {
      toClosing(...rest);
      const accept = channel.accept.bind(channel);
      let close: Method | undefined;
      channel.accept = (frame) => {
        if (frame.id === CHANNEL_CLOSE) {
          close = frame;
          return;
        }
        if (frame.id === CHANNEL_CLOSE_OK && close) accept(close);
        accept(frame);
      };
    };
    return freshChannel(channel, options);
  };
}

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { BusError } from '@omnibus/core/transport';
import kafkajs from 'kafkajs';
import type { KafkaCompressionCodec, KafkaSettings } from './options.js';

const TYPES = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/** What a batch may unpack to: far more than honest producers write, and little enough for a process to live with. */
export const MAX_UNPACKED_BYTES = 134_217_728;

const gzip = promisify<zlib.InputType, Buffer>(zlib.gzip);
const unzip = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.unzip);

/** The number of a compression in Kafka's protocol. */
export function compressionType(compression: KafkaSettings['compression']): number {
  return TYPES[compression];
}

/** Makes the codecs known to kafkajs, which keeps one of each kind for the whole process. */
export function registerCodecs(codecs: KafkaSettings['compressionCodecs']): void {
  for (const name of ['snappy', 'lz4', 'zstd'] as const) {
    const codec = codecs[name];
    if (codec) kafkajs.CompressionCodecs[TYPES[name]] = () => kafkajsCodec(codec);
  }
}

function kafkajsCodec(codec: KafkaCompressionCodec): object {
  return {
    compress: async ({ buffer }: { readonly buffer: Buffer }): Promise<Buffer> => codec.compress(buffer),
    decompress: async (data: Buffer): Promise<Buffer> =>
      codec.decompress(data, { maxOutputLength: MAX_UNPACKED_BYTES }),
  };
}

/** Packs what a batch holds. `type`: the number of the compression. */
export function compress(type: number, data: Buffer): Promise<Buffer> {
  return type === TYPES.gzip ? gzip(data) : codecOf(type).compress({ buffer: data });
}

/** Unpacks what a batch holds. Rejects with `PAYLOAD_TOO_LARGE` when that is more than a process should hold. */
export async function decompress(type: number, data: Buffer): Promise<Buffer> {
  try {
    const unpacked =
      type === TYPES.gzip
        ? await unzip(data, { maxOutputLength: MAX_UNPACKED_BYTES })
        : await codecOf(type).decompress(data);
    if (unpacked.length <= MAX_UNPACKED_BYTES) return unpacked;
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
  }
  throw new BusError(
    'PAYLOAD_TOO_LARGE',
    `A batch of ${data.length} bytes unpacks to more than ${MAX_UNPACKED_BYTES}: let its producer write smaller batches`,
  );
}

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(data: Buffer): Promise<Buffer>;
}

function codecOf(type: number): KafkajsCodec {
  const make = kafkajs.CompressionCodecs[type as 1] as (() => KafkajsCodec) | undefined;
  if (!make) throw new RangeError(`there is no compression ${type}`);
  return make();
}

import kafkajs from 'kafkajs';
import type { KafkaCompressionCodec, KafkaSettings } from './options.js';

const TYPES = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

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
    decompress: async (data: Buffer): Promise<Buffer> => codec.decompress(data),
  };
}

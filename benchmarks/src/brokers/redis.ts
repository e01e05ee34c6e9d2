import { createRequire } from 'node:module';

import { RedisEventBus } from '@omnibus/bus-redis';
import { startRedis } from '@omnibus/test-brokers';
import { Redis } from 'ioredis';

import { OmnibusClient } from '../clients/omnibus.js';
import { RawIoredis } from '../clients/raw-ioredis.js';
import type { BrokerKind } from './broker.js';

const SCAN_PAGE = 1_000;

/** Redis, with ioredis as the raw client. Nothing is written to a disk. */
export const redis: BrokerKind = {
  targets: { P1: 0.9, P2: 0.8, C1: 0.75, C2: 0.9, L: 0.5 },
  async start(report) {
    const { version } = createRequire(import.meta.url)('ioredis/package.json') as {
      readonly version: string;
    };
    const running = await startRedis({ report });
    return {
      address: [running.url],
      description: `${running.product} ${running.version} (${running.provider})`,
      rawClient: `ioredis ${version}`,
      stop: () => running.stop(),
    };
  },
  clients([url = ''], stream) {
    return {
      bus: new OmnibusClient((options) => new RedisEventBus({ ...options, url, streamPrefix: stream })),
      raw: new RawIoredis(url, `${stream}:stream`),
      isRetained: true,
    };
  },
  async dropStream([url = ''], stream) {
    const client = new Redis(url);
    try {
      for await (const keys of client.scanStream({ match: `*${stream}:stream*`, count: SCAN_PAGE }))
        if ((keys as string[]).length > 0) await client.unlink(keys as string[]);
    } finally {
      client.disconnect();
    }
  },
};

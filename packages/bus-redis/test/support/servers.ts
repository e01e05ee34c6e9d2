import {
  type RedisServerName,
  type RunningRedis,
  type SingleRedisOptions,
  startRedis,
} from '@omnibus/test-brokers';

/** Servers of one test, to be stopped after it. */
export class Servers {
  private readonly running: RunningRedis[] = [];

  /** Undefined where that server is not to be had: its absence is no defect of the bus. */
  async start(server: RedisServerName, options: SingleRedisOptions = {}): Promise<RunningRedis | undefined> {
    try {
      const redis = await startRedis({ ...options, server });
      this.running.push(redis);
      return redis;
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'TOOL_MISSING') throw error;
      console.warn((error as Error).message);
      return undefined;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((redis) => redis.stop()));
  }
}

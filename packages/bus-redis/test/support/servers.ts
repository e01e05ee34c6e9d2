import {
  type RedisServerName,
  type RunningRedis,
  type SingleRedisOptions,
  startRedis,
} from '@omnibus/test-brokers';

/** Servers of one test, to be stopped after it. */
export class Servers {
  private readonly running: RunningRedis[] = [];

  async start(server: RedisServerName, options: SingleRedisOptions = {}): Promise<RunningRedis> {
    const redis = await startRedis({ ...options, server });
    this.running.push(redis);
    return redis;
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((redis) => redis.stop()));
  }
}

import { conformance, redisSubject, startedRedis } from '@omnibus/conformance-tests';
import { startRedis } from '@omnibus/test-brokers';

conformance({
  ...redisSubject(startedRedis(startRedis)),
  runner: { describe, it, beforeAll, afterAll },
});

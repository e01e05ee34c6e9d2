// A command: gets what the brokers of the tests need, ahead of them, and ends with code 1 when that fails.
import { messageOf } from './errors.js';
import { prepareKafka } from './kafka/prepare-kafka.js';
import { prepareRedis } from './redis/prepare-redis.js';

prepareKafka()
  .then(() => prepareRedis())
  .catch((error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  });

import { conformance, rabbitMQSubject, startedRabbitMQ } from '@omnibus/conformance-tests';
import { startRabbitMQ } from '@omnibus/test-brokers';

conformance({
  ...rabbitMQSubject(startedRabbitMQ(startRabbitMQ)),
  runner: { describe, it, beforeAll, afterAll },
});

import { conformance, kafkaSubject, startedKafka } from '@omnibus/conformance-tests';
import { startKafka } from '@omnibus/test-brokers';

conformance({
  ...kafkaSubject(startedKafka(startKafka)),
  runner: { describe, it, beforeAll, afterAll },
});

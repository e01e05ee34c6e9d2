// The Kafka bus on a broker that is started for the run: `omnibus-conformance --module` takes it from here.
import { kafkaSubject, startedKafka } from '@omnibus/conformance-tests';
import { startKafka } from '@omnibus/test-brokers';

export const subject = kafkaSubject(startedKafka(startKafka));

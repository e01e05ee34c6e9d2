// The Kafka bus on a cluster that is started for the run: the nemesis takes it from here with `--cluster`.
import { kafkaClusterSubject } from '@omnibus/conformance-tests';
import { startKafka } from '@omnibus/test-brokers';

export const subject = kafkaClusterSubject(startKafka);

// The RabbitMQ bus on a cluster that is started for the run: the nemesis takes it from here with `--cluster`.
import { rabbitMQClusterSubject } from '@omnibus/conformance-tests';
import { startRabbitMQ } from '@omnibus/test-brokers';

export const subject = rabbitMQClusterSubject(startRabbitMQ);

// The RabbitMQ bus on a broker that is started for the run: `omnibus-conformance --module` takes it from here.
import { rabbitMQSubject, startedRabbitMQ } from '@omnibus/conformance-tests';
import { startRabbitMQ } from '@omnibus/test-brokers';

export const subject = rabbitMQSubject(startedRabbitMQ(startRabbitMQ));

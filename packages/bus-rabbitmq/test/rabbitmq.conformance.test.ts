import { conformance, rabbitMQSubject, startedRabbitMQ } from '@omnibus/conformance-tests';
import { startRabbitMQ } from '@omnibus/test-brokers';

/**
 * All ids that the kit has tests for, but one. LD01 asks for 70 % of the rate of a raw client, which publishes straight into
 * one queue. An event goes through two topic exchanges, which costs the broker as much again as storing it: about half of
 * that rate is left.
 */
const CLAIMED = [...['L1', 'L2', 'TR', 'ST', 'LC', 'SE', 'FA'], ...['LD02', 'LD03', 'LD04', 'LD05', 'LD06']];

conformance({
  ...rabbitMQSubject(startedRabbitMQ(startRabbitMQ)),
  runner: { describe, it, beforeAll, afterAll },
  only: CLAIMED,
  claims: CLAIMED,
});

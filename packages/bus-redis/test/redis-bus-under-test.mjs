// The Redis bus on a server that is started for the run: `omnibus-conformance --module` takes it from here.
import { redisSubject, startedRedis } from '@omnibus/conformance-tests';
import { startRedis } from '@omnibus/test-brokers';

export const subject = redisSubject(startedRedis(startRedis));

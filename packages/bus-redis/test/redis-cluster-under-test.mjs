// The Redis bus on a cluster that is started for the run: the nemesis takes it from here with `--cluster`.
import { redisClusterSubject } from '@omnibus/conformance-tests';
import { startRedisCluster } from '@omnibus/test-brokers';

export const subject = redisClusterSubject(startRedisCluster);

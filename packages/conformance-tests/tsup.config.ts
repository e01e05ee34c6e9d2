import { defineConfig } from 'tsup';
import { library } from '../../tsup.preset.js';

export default defineConfig({
  ...library({
    index: 'src/index.ts',
    cli: 'src/cli.ts',
    'child-host': 'src/child-host.ts',
    mutants: 'src/mutants-cli.ts',
    nemesis: 'src/nemesis-cli.ts',
    security: 'src/security-cli.ts',
    'kafka-process': 'src/kafka-process.ts',
    'rabbitmq-process': 'src/rabbitmq-process.ts',
    'redis-process': 'src/redis-process.ts',
  }),
  // Children are started from a file beside the built code, found by `__dirname` in both formats.
  shims: true,
}) as ReturnType<typeof defineConfig>;

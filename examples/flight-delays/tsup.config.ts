import { defineConfig } from 'tsup';
import { application } from '../../tsup.preset.js';

export default defineConfig(
  application({ main: 'src/main.ts', 'consumer-process': 'src/consumer-process.ts' }),
) as ReturnType<typeof defineConfig>;

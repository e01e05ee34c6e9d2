import { defineConfig } from 'tsup';
import { application } from '../tsup.preset.js';

export default defineConfig(
  application({ main: 'src/main.ts', 'memory-process': 'src/memory-process.ts' }),
) as ReturnType<typeof defineConfig>;

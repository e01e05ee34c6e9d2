import { defineConfig } from 'tsup';
import { application } from '../../tsup.preset.js';

export default defineConfig(application({ 'file-event-bus': 'src/file-event-bus.ts' })) as ReturnType<
  typeof defineConfig
>;

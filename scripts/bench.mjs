import { runProgram } from './lib/program.mjs';

await runProgram({ packageName: '@omnibus/benchmarks', entry: 'benchmarks/dist/main.js' });

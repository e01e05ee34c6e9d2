import { runProgram } from './lib/program.mjs';

await runProgram({
  packageName: '@omnibus/example-flight-delays',
  entry: 'examples/flight-delays/dist/main.js',
});

/**
 * What every package's tests run with. Sources are compiled to CommonJS by swc; imports of sibling
 * packages resolve to their builds, as they do for users.
 */
export const preset = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{src,test}/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/test-results/'],
  transform: {
    '^.+\\.m?ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022', keepClassNames: true },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['js', 'ts', 'mjs', 'cjs', 'json', 'node'],
  reporters: [new URL('./scripts/lib/jest-progress.cjs', import.meta.url).pathname],
  testTimeout: 30_000,
  maxWorkers: 2,
};

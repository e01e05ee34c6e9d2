const { BUS_CLIENTS, CORE_LAYERS } = require('./scripts/lib/layers.cjs');

const TESTS = '\\.test\\.ts$|/test/';
const OWN_CORE = ['^packages/core/', '^@omnibus/core(/|$)'];
const OPENTELEMETRY_API = '(^|/)@opentelemetry/api(/|$)';

const pathOf = (file) => `^packages/core/src/${file.endsWith('/') ? file : `${file}\\.ts$`}`;
const pathsOf = ({ files }) => files.map(pathOf);
const listed = CORE_LAYERS.flatMap(pathsOf);

const againstTheLayers = CORE_LAYERS.slice(0, -1).map((layer, index) => ({
  name: `core-layer-${layer.name}`,
  comment: `${layer.name} may not import from the layers that build on it.`,
  severity: 'error',
  from: { path: pathsOf(layer), pathNot: TESTS },
  to: { path: CORE_LAYERS.slice(index + 1).flatMap(pathsOf) },
}));

const onlyCoreAndOwnClient = Object.entries(BUS_CLIENTS).map(([bus, client]) => ({
  name: `${bus}-imports-core-and-${client}`,
  severity: 'error',
  from: { path: `^packages/${bus}/src/`, pathNot: TESTS },
  to: {
    pathNot: [...OWN_CORE, `^packages/${bus}/`, `(^|/)${client}(/|$)`, OPENTELEMETRY_API],
    dependencyTypesNot: ['core'],
  },
}));

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@omnibus/' },
    },
    {
      name: 'core-file-without-a-layer',
      comment: 'Name the file in scripts/lib/layers.cjs.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: [...listed, TESTS] },
      to: {},
    },
    {
      name: 'core-file-without-a-layer-imported',
      comment: 'Name the file in scripts/lib/layers.cjs.',
      severity: 'error',
      from: {},
      to: { path: '^packages/core/src/', pathNot: [...listed, TESTS] },
    },
    ...againstTheLayers,
    {
      name: 'core-imports-nothing',
      comment: 'Node itself and the optional OpenTelemetry API are all that core may import.',
      severity: 'error',
      from: { path: '^packages/core/src/', pathNot: TESTS },
      to: { pathNot: ['^packages/core/src/', OPENTELEMETRY_API], dependencyTypesNot: ['core'] },
    },
    ...onlyCoreAndOwnClient,
    {
      name: 'kit-imports-core-only',
      severity: 'error',
      from: { path: '^packages/conformance-tests/src/', pathNot: TESTS },
      to: { pathNot: [...OWN_CORE, '^packages/conformance-tests/src/'], dependencyTypesNot: ['core'] },
    },
    {
      name: 'test-brokers-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^packages/test-brokers/' },
      to: { path: ['^packages/', '^@omnibus/'], pathNot: '^packages/test-brokers/' },
    },
    {
      name: 'packages-meet-at-their-exports',
      comment: 'Import a sibling by its name, never by a path into its sources.',
      severity: 'error',
      from: { path: '^(packages/[^/]+|examples/[^/]+|benchmarks)/' },
      to: { path: '^(packages|examples)/[^/]+/(src|test)/', pathNot: '^$1/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^[^/]+/[^/]+/src/', pathNot: TESTS },
      to: { path: TESTS, pathNot: 'node_modules' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: ['(^|/)node_modules/.*/node_modules/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};

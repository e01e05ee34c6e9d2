/**
 * A program that makes a package unfindable, as on a machine where nobody installed it, and tells how the bus fails.
 * Text, not a module: it runs in a process of its own that must not have loaded anything before.
 */
export const PEER_PROBE = `
import Module, { register } from 'node:module';
import { pathToFileURL } from 'node:url';
const name = process.env.OMNIBUS_PROBE_PACKAGE;
const path = process.env.OMNIBUS_PROBE_MODULE;
const hooks = \`
export async function resolve(specifier, context, next) {
  if (specifier === \${JSON.stringify(name)} || specifier.startsWith(\${JSON.stringify(name + '/')})) {
    throw Object.assign(new Error("Cannot find package '" + specifier + "' imported from " + context.parentURL), { code: 'ERR_MODULE_NOT_FOUND' });
  }
  return next(specifier, context);
}\`;
const isMissing = (request) => request === name || request.startsWith(name + '/');
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (isMissing(request)) throw Object.assign(new Error("Cannot find module '" + request + "'"), { code: 'MODULE_NOT_FOUND' });
  return resolveFilename.call(this, request, ...rest);
};
register('data:text/javascript,' + encodeURIComponent(hooks));
try {
  const { create } = await import(path.startsWith('file:') ? path : pathToFileURL(path).href);
  const bus = await create({ namespace: 'probe', group: 'probe', overrides: { connectTimeoutMs: 2000 } });
  await bus.connect();
  console.log('connected');
} catch (error) {
  console.log('failed', error?.message, error?.cause?.message ?? '');
}
process.exit(0);
`;

import { createRequire } from 'node:module';

import type * as Otel from '@opentelemetry/api';

/** The API package of OpenTelemetry. */
export type OtelApi = typeof Otel;

/**
 * The part of a tracer provider that is used. Structural, so that the declarations of this package do not need the
 * optional peer: a `TracerProvider` of `@opentelemetry/api` fits.
 */
export interface TracerProviderLike {
  getTracer(name: string, version?: string): unknown;
}

/** The part of a meter provider that is used: a `MeterProvider` of `@opentelemetry/api` fits. */
export interface MeterProviderLike {
  getMeter(name: string, version?: string): unknown;
}

/** What spans and metrics name as their source. */
export const INSTRUMENTATION_NAME = '@omnibus/core';

let loaded: OtelApi | undefined;
let tried = false;

/**
 * `@opentelemetry/api` if it is installed. It is an optional peer, and a bus is made synchronously: hence `require`,
 * which finds the same copy from ESM and from CommonJS. Only its absence is ignored; a broken installation throws.
 */
export function loadOtel(): OtelApi | undefined {
  if (!tried) {
    tried = true;
    loaded = requireOtel();
  }
  return loaded;
}

function requireOtel(): OtelApi | undefined {
  try {
    // Each build has one of the two.
    const from = typeof __filename === 'string' ? __filename : import.meta.url;
    return createRequire(from)('@opentelemetry/api') as OtelApi;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

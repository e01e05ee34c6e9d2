import type { Tracer } from '@opentelemetry/api';

import type { OtelApi } from './otel.js';
import type { TraceAttributes } from './trace-attributes.js';
import type { TracePropagation } from './trace-propagation.js';

/** What spans are made with. */
export interface SpanTools {
  readonly api: OtelApi;
  readonly tracer: Tracer;
  readonly attributes: TraceAttributes;
  readonly propagation: TracePropagation;
}

import type { Attributes, Span } from '@opentelemetry/api';

import { describeError } from './describe-error.js';
import type { OtelApi } from './otel.js';
import { errorType } from './trace-attributes.js';

/** Marks a span as failed and records what was thrown, which may be anything. */
export function recordFailure(api: OtelApi, span: Span, error: unknown, attributes: Attributes = {}): void {
  const { type, message, stack } = describeError(error);
  span.setAttribute('error.type', errorType(error));
  span.setStatus({ code: api.SpanStatusCode.ERROR, message });
  // Not `recordException`: it takes no attributes, and wants an error.
  span.addEvent('exception', {
    'exception.type': type,
    'exception.message': message,
    ...(stack === undefined ? {} : { 'exception.stacktrace': stack }),
    ...attributes,
  });
}

import type * as Api from '@opentelemetry/api';
import type { BasicTracerProvider, ReadableSpan } from '@opentelemetry/sdk-trace-base';

import type { CaseContext } from '../context.js';
import { NotRunError } from '../registry.js';

/** An OpenTelemetry SDK that keeps its spans in memory. */
export interface Telemetry {
  readonly api: typeof Api;
  /** For `overrides.tracing.tracerProvider`: only the buses that are given it are traced. */
  readonly provider: BasicTracerProvider;
  /** Ended spans, in the order in which they ended. */
  spans(): readonly ReadableSpan[];
  /** Ended spans whose name starts with this operation: `send`, `create`, `process`. */
  named(operation: string): readonly ReadableSpan[];
  /** Waits until so many spans of an operation have ended. */
  untilNamed(operation: string, count: number): Promise<readonly ReadableSpan[]>;
  /** Runs `body` in a span of the application, and ends it. */
  inSpan<T>(name: string, body: (span: Api.Span) => Promise<T>): Promise<T>;
}

/** A meter whose metrics can be read. */
export interface Meters {
  readonly provider: object;
  /** The different sets of label values, each as text, of all metrics so far. */
  labels(): Promise<ReadonlySet<string>>;
}

async function optionalPeer<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const needed = ['api', 'core', 'context-async-hooks', 'sdk-trace-base', 'sdk-metrics'];
    throw new NotRunError(
      `needs a real OpenTelemetry SDK: install ${needed.map((name) => `@opentelemetry/${name}`).join(', ')} (${(cause as Error).message.split('\n')[0]})`,
    );
  }
}

/** Sets up tracing for one case. Context and propagation are global while it runs. */
export async function startTelemetry(t: CaseContext): Promise<Telemetry> {
  const api = await optionalPeer(() => import('@opentelemetry/api'));
  const core = await optionalPeer(() => import('@opentelemetry/core'));
  const hooks = await optionalPeer(() => import('@opentelemetry/context-async-hooks'));
  const sdk = await optionalPeer(() => import('@opentelemetry/sdk-trace-base'));
  const exporter = new sdk.InMemorySpanExporter();
  const provider = new sdk.BasicTracerProvider({ spanProcessors: [new sdk.SimpleSpanProcessor(exporter)] });
  const propagators = [new core.W3CTraceContextPropagator(), new core.W3CBaggagePropagator()];
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.CompositePropagator({ propagators }));
  t.onCleanup(() => {
    api.context.disable();
    api.propagation.disable();
    return provider.shutdown();
  });
  const named = (operation: string): readonly ReadableSpan[] =>
    exporter.getFinishedSpans().filter(({ name }) => name.startsWith(`${operation} `));
  return {
    api,
    provider,
    spans: () => exporter.getFinishedSpans(),
    named,
    async untilNamed(operation, count) {
      await t.until(`${count} ${operation} spans`, () => named(operation).length >= count);
      return named(operation);
    },
    inSpan: (name, body) =>
      provider.getTracer('application').startActiveSpan(name, async (span) => {
        try {
          return await body(span);
        } finally {
          span.end();
        }
      }),
  };
}

/** Sets up metrics for one case. */
export async function startMeters(t: CaseContext): Promise<Meters> {
  const sdk = await optionalPeer(() => import('@opentelemetry/sdk-metrics'));
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new sdk.MeterProvider({ readers: [reader] });
  t.onCleanup(() => provider.shutdown());
  return {
    provider,
    async labels() {
      await reader.forceFlush();
      const sets = exporter
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap(({ metrics }) =>
          metrics.flatMap(({ descriptor, dataPoints }) =>
            dataPoints.map(({ attributes }) => `${descriptor.name} ${JSON.stringify(attributes)}`),
          ),
        );
      return new Set(sets ?? []);
    },
  };
}

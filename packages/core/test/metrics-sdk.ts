import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';

export interface MetricsSdk {
  readonly provider: MeterProvider;
  /** By name, as collected now. */
  collect(): Promise<ReadonlyMap<string, MetricData>>;
}

const providers: MeterProvider[] = [];

export function makeMetricsSdk(): MetricsSdk {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  providers.push(provider);
  return {
    provider,
    async collect() {
      exporter.reset();
      await reader.forceFlush();
      const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
      return new Map(
        scopes.flatMap((scope) => scope.metrics).map((metric) => [metric.descriptor.name, metric]),
      );
    },
  };
}

export async function shutDownMetrics(): Promise<void> {
  await Promise.all(providers.splice(0).map((provider) => provider.shutdown()));
}

export function points(
  metric: MetricData | undefined,
): readonly (readonly [attributes: Readonly<Record<string, unknown>>, value: unknown])[] {
  return (metric?.dataPoints ?? []).map(({ attributes, value }: DataPoint<unknown>) => [attributes, value]);
}

export function histogram(metric: MetricData | undefined): DataPoint<Histogram>[] {
  return (metric?.dataPoints ?? []) as DataPoint<Histogram>[];
}

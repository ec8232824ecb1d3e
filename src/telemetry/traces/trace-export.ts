/**
 * The export of traces by OTLP over HTTP.
 *
 * Promises: loads the SDK of OpenTelemetry, which nothing else imports; holds a bounded number of spans; a collector that does not
 * answer costs a line a minute, and two seconds of the stop. Refuses to know: what the spans are about.
 */
import type { SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ConfigStoreService } from '../../core/config/config-store.service.js';
import { VERSION } from '../../core/lifecycle/version.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Tracing } from '../../core/telemetry/tracing.js';
import type { Clock } from '../../core/time/clock.js';
import { OpenTelemetryTracing } from './open-telemetry.js';

/** Time that the end of the export may take, in milliseconds. */
export const FLUSH_TIMEOUT_MS = 2_000;

/** Pause between two lines of the log about exports that failed, in milliseconds. */
const REPORT_INTERVAL_MS = 60_000;

/** Time limit of one request to the collector, in milliseconds. */
const EXPORT_TIMEOUT_MS = 10_000;

/** An export that runs. */
export interface TraceExport {
  readonly tracing: Tracing;
  /** Sends what is waiting, within {@link FLUSH_TIMEOUT_MS}. Never rejects. */
  end(): Promise<void>;
}

/** The parts of the gateway that the export uses. */
export interface ExportParts {
  readonly config: ConfigStoreService;
  readonly clock: Clock;
  readonly log: Log;
  /** The ID of this replica. */
  readonly instance: string;
}

/** Loads the SDK and starts to export to `telemetry.traces.endpoint`. */
export async function startTraceExport(endpoint: string, parts: ExportParts): Promise<TraceExport> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { config, instance } = parts;
  const exporter = new OTLPTraceExporter({
    url: endpoint,
    headers: { ...config.get('telemetry.traces.headers') },
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.get('telemetry.traces.service_name'),
      'service.version': VERSION,
      'service.instance.id': instance,
    }),
    sampler: new sdk.ParentBasedSampler({
      root: new sdk.TraceIdRatioBasedSampler(config.get('telemetry.traces.sample_ratio')),
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new ReportingExporter(exporter, parts) })],
  });
  const tracer = provider.getTracer('openclaw-gateway-nest', VERSION);
  return { tracing: new OpenTelemetryTracing(api, tracer), end: () => endExport(provider, parts) };
}

/** Reports exports that failed, at most one line a minute. */
class ReportingExporter implements SpanExporter {
  private reportedAt: number | undefined;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly parts: ExportParts,
  ) {}

  export(...[spans, done]: Parameters<SpanExporter['export']>): void {
    this.exporter.export(spans, (result) => {
      if (result.error) this.report(result.error, spans.length);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.exporter.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  private report(error: Error, spans: number): void {
    const now = this.parts.clock.elapsed();
    if (this.reportedAt !== undefined && now - this.reportedAt < REPORT_INTERVAL_MS) return;
    this.reportedAt = now;
    this.parts.log.warn({ error, spans }, 'traces could not be exported; they are lost');
  }
}

async function endExport(provider: TracerProvider, { clock, log }: ExportParts): Promise<void> {
  const patience = new AbortController();
  const late = clock.sleep(FLUSH_TIMEOUT_MS, patience.signal).then(() => 'late' as const);
  const ended = provider.shutdown().then(
    () => 'ended' as const,
    () => 'failed' as const,
  );
  const outcome = await Promise.race([ended, late]).finally(() => patience.abort());
  if (outcome !== 'ended') log.warn({ outcome }, 'the last traces could not be exported');
}

/**
 * The export of traces by OTLP over HTTP, as JSON.
 *
 * Promises: holds a bounded number of spans; a collector that does not answer costs a line a minute, and two seconds of the stop.
 * Refuses to know: what the spans are about.
 */
import type { ConfigStoreService } from '../../core/config/config-store.service.js';
import { VERSION } from '../../core/lifecycle/version.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Tracing } from '../../core/telemetry/tracing.js';
import type { Clock } from '../../core/time/clock.js';
import { egressFetch, type EgressFetch } from '../../http/egress/egress-fetch.js';
import { readBeginning } from '../../http/egress/read-beginning.js';
import { encodeRequest, encodeSpan, type SpanSource } from './otlp-json.js';
import { RecordingTracing } from './recording-tracing.js';
import { SpanQueue, type SendOutcome } from './span-queue.js';

/** Time that the end of the export may take, in milliseconds. */
export const FLUSH_TIMEOUT_MS = 2_000;

/** Pause between two lines of the log about exports that failed, in milliseconds. */
const REPORT_INTERVAL_MS = 60_000;

/** Time limit of one request to the collector, in milliseconds. */
const EXPORT_TIMEOUT_MS = 10_000;

/** Part of the collector's answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 4_096;

/** Part of it that the log shows, in characters. */
const MAX_SHOWN_LENGTH = 200;

/** Statuses with which a collector says that the same request may succeed later (OTLP). */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** The parts of the gateway that the export uses. */
export interface ExportParts {
  readonly config: ConfigStoreService;
  readonly clock: Clock;
  readonly log: Log;
  /** The ID of this replica. */
  readonly instance: string;
  readonly fetch?: EgressFetch;
}

/** Exports the spans of this process to a collector. */
export class TraceExport {
  /** Makes the spans that are exported. */
  readonly tracing: Tracing;
  private readonly queue: SpanQueue;
  private readonly source: SpanSource;
  private readonly fetch: EgressFetch;
  private readonly stopping = new AbortController();
  private reportedAt: number | undefined;

  /** @param endpoint the URL of the collector */
  constructor(
    private readonly endpoint: string,
    private readonly parts: ExportParts,
  ) {
    const { config, clock, instance, fetch = egressFetch } = parts;
    this.fetch = fetch;
    this.source = {
      resource: {
        'service.name': config.get('telemetry.traces.service_name'),
        'service.version': VERSION,
        'service.instance.id': instance,
      },
      scope: { name: 'openclaw-gateway-nest', version: VERSION },
    };
    this.queue = new SpanQueue({ clock, send: (spans) => this.send(spans) });
    const sampleRatio = config.get('telemetry.traces.sample_ratio');
    this.tracing = new RecordingTracing({ clock, sampleRatio, take: (span) => this.queue.add(encodeSpan(span)) });
  }

  /** Sends what is waiting, within {@link FLUSH_TIMEOUT_MS}. Never rejects. */
  async end(): Promise<void> {
    const { clock, log } = this.parts;
    const cancelTimer = clock.setTimer(FLUSH_TIMEOUT_MS, () =>
      this.stopping.abort(new Error('the gateway stops, and its last traces have not been taken in time')),
    );
    await this.queue.flush();
    cancelTimer();
    const { lost, waiting } = this.queue;
    if (lost + waiting > 0) log.warn({ lost: lost + waiting }, 'traces were lost: the collector has not taken them');
  }

  private async send(spans: readonly Buffer[]): Promise<SendOutcome> {
    const late = new AbortController();
    const cancelTimer = this.parts.clock.setTimer(EXPORT_TIMEOUT_MS, () =>
      late.abort(new Error(`the collector has not responded within ${EXPORT_TIMEOUT_MS / 1_000} s`)),
    );
    try {
      const response = await this.fetch(this.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...this.parts.config.get('telemetry.traces.headers') },
        body: encodeRequest(this.source, spans),
        redirect: 'error',
        signal: AbortSignal.any([late.signal, this.stopping.signal]),
      });
      const answer = (await readBeginning(response, MAX_ANSWER_BYTES)).toString();
      if (response.ok) return 'sent';
      this.report({ status: response.status, answer: answer.slice(0, MAX_SHOWN_LENGTH) });
      return RETRYABLE.has(response.status) ? 'later' : 'refused';
    } catch (error) {
      this.report({ error });
      return 'later';
    } finally {
      cancelTimer();
    }
  }

  /** Reports a request that failed, at most once a minute. */
  private report(facts: object): void {
    const now = this.parts.clock.elapsed();
    if (this.reportedAt !== undefined && now - this.reportedAt < REPORT_INTERVAL_MS) return;
    this.reportedAt = now;
    this.parts.log.warn({ ...facts, lost: this.queue.lost }, 'traces cannot be exported');
  }
}

import { Injectable } from '@nestjs/common';
import { StopStep } from '../../core/lifecycle/steps.js';
import type { Tracing } from '../../core/telemetry/tracing.js';
import { FLUSH_TIMEOUT_MS, type TraceExport } from './trace-export.js';

/** Ends the export of traces after the drain, within a time of its own. */
@Injectable()
export class TraceExportService {
  /** @param running undefined if nothing is exported */
  constructor(private readonly running: TraceExport | undefined) {}

  /** The source of the spans that are exported; undefined without an export. */
  get tracing(): Tracing | undefined {
    return this.running?.tracing;
  }

  @StopStep({ name: 'export the last traces', phase: 'release', withinMs: 2 * FLUSH_TIMEOUT_MS })
  async end(): Promise<void> {
    await this.running?.end();
  }
}

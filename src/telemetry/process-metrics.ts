import type { Registry } from 'prom-client';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Injectable } from '@nestjs/common';

/** Precision of the event loop's delay, in milliseconds. */
const LOOP_PRECISION_MS = 20;

/** Lines of what was not measured yet, such as the delay of the event loop in the first milliseconds. */
const UNKNOWN = /^.* Nan\n/gm;

/**
 * The resources that the process uses: CPU time, memory, garbage collection, the delay of the event loop, under the
 * names that dashboards for Node.js know. Loads and measures only from the first call on: a gateway whose metrics are
 * not read pays nothing.
 */
@Injectable()
export class ProcessMetrics {
  private readonly log: Log;
  private registry: Promise<Registry> | undefined;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  /** Returns the metrics in the text format of Prometheus; an empty text if they cannot be read. Never rejects. */
  async render(): Promise<string> {
    try {
      const text = await (await (this.registry ??= openRegistry())).metrics();
      return text.replaceAll(UNKNOWN, '');
    } catch (error) {
      // The metrics of the gateway are served all the same.
      this.log.debug({ error }, 'the metrics of the process could not be read');
      return '';
    }
  }
}

async function openRegistry(): Promise<Registry> {
  const { collectDefaultMetrics, Registry } = await import('prom-client');
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_PRECISION_MS });
  return registry;
}

import type { TemplateResult } from 'lit';
import { icons } from '../../design/icons.js';
import { renderChip, renderState } from '../state-chip.js';

/** When a job is due: one of the first four. */
export interface JobSchedule {
  readonly cron?: string;
  readonly every_ms?: number;
  readonly at?: number;
  readonly on_event?: { readonly event: string; readonly node_id?: string };
  readonly anchor?: number;
  readonly timezone: string;
}

export interface Chat {
  readonly channel?: string;
  readonly sender?: string;
  readonly group_id?: string;
  readonly thread_id?: string;
}

/** A job, as far as the console shows it. */
export interface Job {
  readonly job_id: string;
  readonly tenant: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly schedule: JobSchedule;
  readonly words: string;
  readonly target: Chat & { readonly isolated?: boolean; readonly deliver_to?: Chat };
  readonly message: string;
  readonly misfire: string;
  readonly overlap: string;
  readonly agent?: string;
  readonly max_runs?: number;
  readonly timeout_ms?: number;
  readonly expires_at?: number;
  readonly retries: number;
  readonly made_by: string;
  readonly created_at: number;
  readonly last_due?: number;
  readonly next: readonly number[];
  readonly firings: number;
  readonly failures: number;
  readonly stopped?: string;
}

/** A run of a job, or due times that were skipped. */
export interface Run {
  readonly due: number;
  readonly kind: string;
  readonly status: string;
  readonly reason?: string;
  readonly attempts: number;
  readonly message_ref?: string;
  readonly started?: number;
  readonly ended?: number;
  readonly count?: number;
}

/** Renders whether a job runs; one that the gateway has stopped says so. */
export function renderJobState({ enabled, stopped, failures }: Job): TemplateResult {
  if (stopped !== undefined) return renderState('stopped');
  if (!enabled) return renderState('off');
  return failures > 0 ? renderChip(icons.warning, 'warn', 'failing') : renderState('on');
}

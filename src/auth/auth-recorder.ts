import { Injectable } from '@nestjs/common';
import { noteOfAuthentication } from '../core/audit/audit-notes.js';
import type { Principal } from '../core/identity/principal.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { AuditStore, type AuditNote } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import type { RequestFacts } from '../http/request-facts.js';
import { AuthFailures, isUndecided, type AuthFailure } from './auth-failures.js';
import type { CredentialName } from './credentials.js';
import { FailureRows } from './failure-rows.js';

/** Rows a minute for successes and for sign-ins, so that a flood does not fill the trail. */
const MAX_ROWS_PER_MINUTE = 60;

const MINUTE_MS = 60_000;

/**
 * Records the outcomes of authentications: a failure in the limits of its address; in the audit trail failures,
 * counted by the minute, each sign-in of a page, and the first success of a principal at an address within a minute. The caller
 * does not wait for the row; one that cannot be stored is logged.
 */
@Injectable()
export class AuthRecorder {
  private readonly log: Log;
  private readonly rows: RateBuckets;
  private readonly failureRows = new FailureRows((note) => this.addRow(note));

  constructor(
    private readonly audit: AuditStore,
    private readonly failures: AuthFailures,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
    this.rows = new RateBuckets(clock);
  }

  /** Adds the rows that count failures each minute, and at the stop. */
  @StartStep({ name: 'count failed authentications', phase: 'run' })
  start(): Undo {
    const stop = this.clock.setRepeating(MINUTE_MS, () => this.failureRows.endMinute());
    return () => {
      stop();
      this.failureRows.endMinute();
    };
  }

  /** Records a failure and returns how the request fails. */
  recordFailure(...failed: Parameters<AuthFailures['note']>): AuthFailure {
    const failure = this.failures.note(...failed);
    const [{ clientAddress }, credential, verdict] = failed;
    const reason = typeof verdict === 'object' ? verdict.refused : undefined;
    if (!isUndecided(failure)) this.failureRows.note(clientAddress, credential, reason);
    return failure;
  }

  recordSuccess(principal: Principal, { clientAddress }: RequestFacts, credential: CredentialName): void {
    if (this.rows.take(JSON.stringify([principal.tenant, principal.principal, clientAddress]), 1) > 0) return;
    if (this.rows.take('success', MAX_ROWS_PER_MINUTE) > 0) return;
    this.addRow(noteOfAuthentication('auth.success', principal, clientAddress, credential));
  }

  /** Records that a page exchanged its code for the token of `principal`. */
  recordSignIn(principal: Pick<Principal, 'tenant' | 'principal'>, { clientAddress }: RequestFacts): void {
    if (this.rows.take('sign-in', MAX_ROWS_PER_MINUTE) > 0) return;
    this.addRow(noteOfAuthentication('auth.sign_in', principal, clientAddress, 'page code'));
  }

  private addRow(note: AuditNote): void {
    this.audit.recordAudit(note).catch((error: unknown) => {
      this.log.info({ error, action: note.action }, 'an authentication could not be added to the audit trail');
    });
  }
}

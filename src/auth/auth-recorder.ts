import { Injectable } from '@nestjs/common';
import { noteOfAuthentication } from '../core/audit/audit-notes.js';
import { DEFAULT_TENANT, type Principal } from '../core/identity/principal.js';
import { RateBuckets } from '../core/limits/rate-buckets.js';
import { AuditStore, type AuditNote } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import type { RequestFacts } from '../http/request-facts.js';
import { AuthFailures, type AuthFailure } from './auth-failures.js';
import type { CredentialName } from './credentials.js';

/** Rows a minute for successes, for failures and for sign-ins, so that a flood does not fill the trail. The log has all failures. */
const MAX_ROWS_PER_MINUTE = 60;

/** The actor of a request without a valid credential. */
const STRANGER = { tenant: DEFAULT_TENANT, principal: 'anonymous' };

/**
 * Records the outcomes of authentications: a failure in the limits of its address; in the audit trail each failure that is
 * not throttled, each sign-in of a page, and the first success of a principal at an address within a minute. The caller
 * does not wait for the row; one that cannot be stored is logged.
 */
@Injectable()
export class AuthRecorder {
  private readonly log: Log;
  private readonly rows: RateBuckets;

  constructor(
    private readonly audit: AuditStore,
    private readonly failures: AuthFailures,
    clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('auth');
    this.rows = new RateBuckets(clock);
  }

  /** Records a failure and returns how the request fails. */
  recordFailure(...failed: Parameters<AuthFailures['note']>): AuthFailure {
    const failure = this.failures.note(...failed);
    if (failure !== 'unauthorized' || this.rows.take('failure', MAX_ROWS_PER_MINUTE) > 0) return failure;
    const [{ clientAddress }, credential, verdict] = failed;
    const reason = typeof verdict === 'object' ? verdict.refused : undefined;
    this.addRow(noteOfAuthentication('auth.failure', STRANGER, clientAddress, credential, reason));
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

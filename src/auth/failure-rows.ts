import { noteOfAuthentication, noteOfFailures } from '../core/audit/audit-notes.js';
import { ALL_TENANTS, type AuditNote } from '../core/store/index.js';
import type { CredentialName } from './credentials.js';

/** Addresses with a kind of credential that have rows of their own within a minute; others are counted together. */
const MAX_ROWS_OF_ADDRESSES = 60;

/** The actor of a request without a valid credential. It is of no tenant, so operators of all see it. */
const STRANGER = { tenant: ALL_TENANTS, principal: 'anonymous' };

/** The target of the row that counts the failures from all other addresses. */
const OTHER_ADDRESSES = 'other addresses';

/**
 * The rows of failed authentications. The first failure from an address with a kind of credential is a row at once; those
 * that follow within the minute are counted in one row at its end. A flood thus adds a bounded number of rows, and a change
 * waits for few of them.
 */
export class FailureRows {
  private readonly counted = new Map<string, { readonly address: string; readonly credential: string; more: number }>();
  private others = 0;

  constructor(private readonly add: (note: AuditNote) => void) {}

  /** @param reason why it has failed, for the row of a first failure */
  note(address: string, credential: CredentialName, reason?: string): void {
    const key = `${credential} ${address}`;
    const known = this.counted.get(key);
    if (known) known.more++;
    else if (this.counted.size >= MAX_ROWS_OF_ADDRESSES) this.others++;
    else {
      this.counted.set(key, { address, credential, more: 0 });
      this.add(noteOfAuthentication('auth.failure', STRANGER, address, credential, reason));
    }
  }

  /** Ends the minute: adds the rows with counts. */
  endMinute(): void {
    for (const { address, credential, more } of this.counted.values())
      if (more > 0) this.add(noteOfFailures(more, address, credential));
    if (this.others > 0) this.add(noteOfFailures(this.others, OTHER_ADDRESSES, 'any'));
    this.counted.clear();
    this.others = 0;
  }
}

/** A notification that another replica changed the store. Hints can be lost, so their receivers also poll. */
export type StoreHint =
  | { readonly kind: 'queue' }
  | { readonly kind: 'frames'; readonly sessionId: string; readonly headSeq: number }
  | { readonly kind: 'cancel'; readonly messageRef: string }
  | { readonly kind: 'config' };

/** Limits of what retention may delete. */
export interface SweepLimits {
  /** Frames older than this may be deleted: their resume window is over. */
  readonly framesBefore: number;
  /**
   * Messages older than this are no longer needed to recognise duplicates; their journals may be deleted, and with a
   * swept session they too.
   */
  readonly dedupeBefore: number;
  /** Sessions idle since before this are deleted with all their data; undefined keeps all. */
  readonly sessionsBefore: number | undefined;
  /** Approvals that expired before this, and dead letters from before, are deleted; undefined keeps all. */
  readonly approvalsBefore?: number | undefined;
  /**
   * Rows of the audit trail older than this are deleted, oldest first, in portions: a portion waits until it is large, or
   * a day old. Each deletion is itself a row of the trail; see `core/audit/audit-notes`. Undefined keeps all.
   */
  readonly auditBefore?: number | undefined;
}

/** The store as a whole: opening, closing, health and housekeeping. */
export abstract class Store {
  /**
   * Opens, migrates and recovers. Messages that were running become claimable again, counted as interrupted.
   * @throws Error with a message for the operator: locked by another process, corrupt, too new, not reachable
   */
  abstract open(): Promise<void>;

  /** Waits for pending calls and closes. Idempotent. */
  abstract close(): Promise<void>;

  /** Resolves if a durable commit is possible now; rejects with GatewayError STORE_UNAVAILABLE otherwise. */
  abstract check(): Promise<void>;

  /** True when the store has failed for good, and only a restart of the process repairs it. */
  get isDead(): boolean {
    return false;
  }

  /** Deletes a bounded number of expired records. Resolves with true if there are more. */
  abstract sweep(limits: SweepLimits): Promise<boolean>;

  /** Subscribes `listener` to changes of other replicas. Returns a function that unsubscribes it. */
  abstract onHint(listener: (hint: StoreHint) => void): () => void;

  /**
   * The random name of this start, made when the store is opened and kept with the logs of the sessions. A log that
   * continues from an older copy has the names of other starts.
   */
  abstract readonly logEpoch: string;

  /** True if other processes may write to the same store. Hints and polling are needed only then. */
  abstract readonly isShared: boolean;

  /** A label for people, without secrets, for example `sqlite:data/gateway.db`. */
  abstract readonly label: string;
}

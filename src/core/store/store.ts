/** A change that another replica made to the store. A hint can be lost: polling must do without. */
export type StoreHint =
  | { readonly kind: 'queue' }
  | { readonly kind: 'frames'; readonly sessionId: string; readonly headSeq: number }
  | { readonly kind: 'cancel'; readonly messageRef: string }
  | { readonly kind: 'config' };

/** The limits of what retention may delete. */
export interface SweepLimits {
  /** Frames older than this are past their resume window. */
  readonly framesBefore: number;
  /** Messages older than this are forgotten for deduplication and, with their journal, by the history of swept sessions. */
  readonly dedupeBefore: number;
  /** Idle sessions older than this go with all they have; undefined: none. */
  readonly sessionsBefore: number | undefined;
}

/** The store as a whole: opening, closing, health and house-keeping. */
export abstract class Store {
  /**
   * Opens, migrates and recovers. Messages that were running become claimable again, counted as interrupted.
   * @throws Error with a message for the operator: locked by another process, corrupt, too new, not reachable
   */
  abstract open(): Promise<void>;

  /** Waits for what was begun and closes. Idempotent. */
  abstract close(): Promise<void>;

  /** Resolves when a durable commit is possible now; rejects with GatewayError STORE_UNAVAILABLE otherwise. */
  abstract check(): Promise<void>;

  /** Deletes a bounded piece of what is past its time. Resolves with true when there is more. */
  abstract sweep(limits: SweepLimits): Promise<boolean>;

  /** Calls `listener` for changes of other replicas. Returns a function that unsubscribes it. */
  abstract onHint(listener: (hint: StoreHint) => void): () => void;

  /** Whether other processes may write to it too; only then are hints and polling needed. */
  abstract readonly isShared: boolean;

  /** For people, without secrets: `sqlite:data/gateway.db`. */
  abstract readonly label: string;
}

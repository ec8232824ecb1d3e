/** A kind of thing that a tool keeps for a session, for example a workspace folder or a browser. */
export interface ResourceKind<T> {
  /** Unique in the gateway, for logs: `workspace`. */
  readonly name: string;

  /** Creates the resource of a session, or takes up what an earlier process left of it. */
  open(sessionId: string): Promise<T>;

  /**
   * Closes a resource, when its session ends and when the gateway stops. A kind without it holds nothing open: it is opened
   * again for each use.
   */
  close?(resource: T): Promise<void>;

  /** For a kind that outlives the process. It stays when the gateway stops and is removed with its session. */
  readonly durable?: {
    /** Returns the ids of all sessions that something is kept for. */
    list(): Promise<readonly string[]>;
    /** Removes what is kept for a session. Repeating it does no harm: a crash may have interrupted it. */
    remove(sessionId: string): Promise<void>;
  };
}

/** The resources of one kind. */
export interface SessionResource<T> {
  /**
   * Runs `action` with the resource of a session, which is created on first use. Uses may overlap; the resource is not
   * closed or removed while one lasts. Rejects with what `open` or `action` rejects with.
   */
  use<R>(sessionId: string, action: (resource: T) => Promise<R>): Promise<R>;
}

/**
 * Keeps what tools hold for sessions: at most one of a kind per session, created on first use, ended with the session and
 * closed when the gateway stops. A session has ended when the store no longer has it.
 */
export abstract class SessionResources {
  /** Adds a kind. @throws Error when its name is taken */
  abstract register<T>(kind: ResourceKind<T>): SessionResource<T>;

  /** Ends the resources of a session now, those in use excepted. Must not throw: what fails is logged, and swept later. */
  abstract end(sessionId: string): Promise<void>;

  /**
   * Ends resources whose session is gone, also those that an earlier process left. One call looks at a bounded number of
   * sessions and the next call goes on from there.
   */
  abstract sweep(): Promise<void>;
}

/** A kind of resource that a tool keeps for a session, for example a workspace folder or a browser. */
export interface ResourceKind<T> {
  /** Unique name for logs, for example `workspace`. */
  readonly name: string;

  /** Creates the resource of a session, or opens what an earlier process left of it. */
  open(sessionId: string): Promise<T>;

  /**
   * Closes a resource when its session ends and when the gateway stops. A kind without it holds nothing open and is
   * opened again for each use.
   */
  close?(resource: T): Promise<void>;

  /** For kinds that outlive the process. They stay when the gateway stops and are removed with their session. */
  readonly durable?: {
    /** Returns the ids of all sessions that have a durable part. */
    list(): Promise<readonly string[]>;
    /** Removes the durable part of a session. Must be idempotent: a crash may have interrupted it. */
    remove(sessionId: string): Promise<void>;
  };
}

/** The resources of one kind. */
export interface SessionResource<T> {
  /**
   * Runs `action` with the resource of a session, which is created on first use. Uses may overlap; the resource is not
   * closed or removed during one. Rejects with what `open` or `action` rejects with.
   */
  use<R>(sessionId: string, action: (resource: T) => Promise<R>): Promise<R>;
}

/**
 * Manages the resources of sessions: at most one of a kind per session, created on first use, ended with the session
 * and closed when the gateway stops. A session has ended when the store no longer has it.
 */
export abstract class SessionResources {
  /** Adds a kind. @throws Error when its name is taken */
  abstract register<T>(kind: ResourceKind<T>): SessionResource<T>;

  /**
   * Ends the resources of a session now, except those in use. Must not throw; failures are logged, and a later sweep
   * retries.
   */
  abstract end(sessionId: string): Promise<void>;

  /**
   * Ends resources whose session is gone, including those that an earlier process left. One call checks a bounded
   * number of sessions; the next call continues from there.
   */
  abstract sweep(): Promise<void>;
}

import { Injectable } from '@nestjs/common';
import { StopStep } from '../lifecycle/steps.js';
import { SessionStore } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { SessionResources, type ResourceKind, type SessionResource } from './session-resources.js';

/** Number of sessions of each kind that one sweep checks, to keep sweeps short. */
const MAX_SWEPT = 500;

/** A resource that is open or being opened. */
interface Opened {
  readonly resource: Promise<unknown>;
  users: number;
}

/** A registered kind and its open resources in this process, by session id. */
interface Kept {
  readonly kind: ResourceKind<unknown>;
  readonly opened: Map<string, Opened>;
  /** Pending ends, which a new use waits for. */
  readonly ending: Map<string, Promise<void>>;
  /** Sessions that the current round of sweeps has yet to check. */
  unswept: string[];
}

/**
 * SessionResources in the memory of this process and on its disk. Each replica has its own: a session that moves to
 * another replica gets a new resource there, and each replica sweeps what it holds. Kinds whose durable part must
 * follow a session need a shared disk; the session's lease then ensures that one command runs at a time.
 */
@Injectable()
export class LocalSessionResources extends SessionResources {
  private readonly log: Log;
  private readonly kinds = new Map<string, Kept>();

  constructor(
    private readonly sessions: SessionStore,
    logs: Logs,
  ) {
    super();
    this.log = logs.for('tools');
  }

  override register<T>(kind: ResourceKind<T>): SessionResource<T> {
    if (this.kinds.has(kind.name)) throw new Error(`The session resource "${kind.name}" is registered twice`);
    const kept: Kept = {
      kind,
      opened: new Map(),
      ending: new Map(),
      unswept: [],
    };
    this.kinds.set(kind.name, kept);
    return { use: (sessionId, action) => this.use(kept, sessionId, (resource) => action(resource as T)) };
  }

  override async end(sessionId: string): Promise<void> {
    for (const kept of this.kinds.values()) await this.endOne(kept, sessionId);
  }

  override async sweep(): Promise<void> {
    for (const kept of this.kinds.values()) {
      if (kept.unswept.length === 0) kept.unswept = await this.listSessions(kept);
      for (const sessionId of kept.unswept.splice(0, MAX_SWEPT)) {
        if (!(await this.sessions.findSession(sessionId))) await this.endOne(kept, sessionId);
      }
    }
  }

  /** Closes open resources. Durable parts stay for the next start. */
  @StopStep({ name: 'close resources of sessions', phase: 'release' })
  async closeAll(): Promise<void> {
    const closing = [...this.kinds.values()].flatMap((kept) =>
      [...kept.opened.keys()].map((sessionId) => this.report(kept, sessionId, this.close(kept, sessionId))),
    );
    await Promise.all(closing);
  }

  private async use<R>(kept: Kept, sessionId: string, action: (resource: unknown) => Promise<R>): Promise<R> {
    for (let ending = kept.ending.get(sessionId); ending; ending = kept.ending.get(sessionId)) await ending;
    const opened = kept.opened.get(sessionId) ?? this.open(kept, sessionId);
    opened.users++;
    try {
      return await action(await opened.resource);
    } finally {
      opened.users--;
      // A resource that could not be opened may have been replaced by a new attempt.
      const isCurrent = kept.opened.get(sessionId) === opened;
      if (opened.users === 0 && !kept.kind.close && isCurrent) kept.opened.delete(sessionId);
    }
  }

  private open({ kind, opened }: Kept, sessionId: string): Opened {
    const entry: Opened = { resource: kind.open(sessionId), users: 0 };
    opened.set(sessionId, entry);
    // A resource that could not be opened is tried again at the next use.
    entry.resource.catch(() => opened.get(sessionId) === entry && opened.delete(sessionId));
    return entry;
  }

  private async listSessions({ kind, opened }: Kept): Promise<string[]> {
    return [...new Set([...opened.keys(), ...((await kind.durable?.list()) ?? [])])];
  }

  /** Ends a resource unless it is in use; a later sweep then ends it. */
  private async endOne(kept: Kept, sessionId: string): Promise<void> {
    if ((kept.opened.get(sessionId)?.users ?? 0) > 0 || kept.ending.has(sessionId)) return;
    const remove = async () => {
      await this.close(kept, sessionId);
      await kept.kind.durable?.remove(sessionId);
    };
    const ending = this.report(kept, sessionId, remove());
    kept.ending.set(sessionId, ending);
    await ending;
    kept.ending.delete(sessionId);
  }

  private async close({ kind, opened }: Kept, sessionId: string): Promise<void> {
    const entry = opened.get(sessionId);
    opened.delete(sessionId);
    if (entry && kind.close) await kind.close(await entry.resource);
  }

  /** Settles with `ending` and logs its failure. */
  private async report({ kind }: Kept, sessionId: string, ending: Promise<void>): Promise<void> {
    try {
      await ending;
    } catch (error) {
      this.log.warn({ error, session_id: sessionId, kind: kind.name }, 'a resource of a session could not be ended');
    }
  }
}

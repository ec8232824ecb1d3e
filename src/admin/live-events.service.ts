import { Injectable } from '@nestjs/common';
import { Clock } from '../core/time/clock.js';
import { ALL_TENANTS } from '../core/store/index.js';
import type { EventSource } from '../http/index.js';
import { EventFollower } from './event-follower.js';
import { EventLog, type EventKind } from './event-log.js';

/** Time for which the events of a tenant are kept after its last reader has gone, in milliseconds. */
export const KEPT_MS = 600_000;

interface Stream {
  readonly log: EventLog;
  readonly listeners: Set<() => void>;
  /** When the last reader has gone, by the monotonic clock; undefined while there is one. */
  idleSince: number | undefined;
}

/**
 * The events of the gateway for live views: a stream for each tenant, and one for all. A stream without readers makes
 * and keeps no events.
 */
@Injectable()
export class LiveEventsService {
  private readonly streams = new Map<string, Stream>();

  constructor(private readonly clock: Clock) {}

  /** True if a tenant has readers, or had some just now. */
  get isHeard(): boolean {
    return this.streams.size > 0;
  }

  /** The tenants that have readers, or had some just now; `ALL_TENANTS` for those of all. */
  get tenants(): readonly string[] {
    return [...this.streams.keys()];
  }

  /**
   * Sends an event to the readers of a tenant and of all tenants. @param describe makes the row of its list; called only if
   * there are readers
   */
  emit(tenant: string, kind: EventKind, describe: () => object): void {
    for (const scope of [tenant, ALL_TENANTS]) this.append(scope, kind, () => ({ tenant, ...describe() }));
  }

  private append(scope: string, kind: EventKind, describe: () => object): void {
    const stream = this.streams.get(scope);
    if (!stream) return;
    if (stream.idleSince !== undefined && this.clock.elapsed() - stream.idleSince > KEPT_MS)
      return void this.streams.delete(scope);
    stream.log.append(kind, describe());
    for (const listener of stream.listeners) listener();
  }

  /**
   * Returns the events of a tenant, or of `ALL_TENANTS`, after the one with the ID `lastId`, and those to come; without one only
   * those to come.
   */
  follow(tenant: string, lastId: string | undefined): EventSource {
    let stream = this.streams.get(tenant);
    if (!stream)
      this.streams.set(tenant, (stream = { log: new EventLog(), listeners: new Set(), idleSince: undefined }));
    const own = stream;
    return new EventFollower(own.log, lastId, (listener) => {
      own.idleSince = undefined;
      own.listeners.add(listener);
      return () => {
        own.listeners.delete(listener);
        if (own.listeners.size === 0) own.idleSince = this.clock.elapsed();
      };
    });
  }
}

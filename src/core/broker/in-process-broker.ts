import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { Broker, type Claims, type Topic } from './broker.js';

/** A topic as the other replicas of the process see it. */
interface Listener {
  readonly keys: Set<string>;
  hear(key: string, message: unknown): void;
}

/** What the replicas of one process share. */
class Hub {
  readonly replicas = new Set<InProcessBroker>();
  /** By name, then by key. */
  readonly holders = new Map<string, Map<string, (key: string) => void>>();
  /** By kind and key. */
  readonly kept = new Map<string, { readonly value: string; readonly expiresAt: number }>();
}

/**
 * The broker of a gateway that is one process; the default. Several can be joined in one process, for tests.
 *
 * What it gives up: it reaches no other process. With a second one on the same store, readers there get blocks without
 * deltas, presence and page sign-in codes stay where they came in, a client may be connected to both, and each counts
 * its limits alone. A restart forgets kept values and claims.
 */
export class InProcessBroker extends Broker {
  private readonly hub: Hub;
  private readonly listeners = new Map<string, Listener>();
  private readonly claimed = new Set<string>();
  private readonly log: Log;

  /** @param other a broker of this process whose replica is to be one of the same gateway */
  constructor(
    private readonly clock: Clock,
    logs: Logs,
    other?: InProcessBroker,
  ) {
    super();
    this.log = logs.for('gateway');
    this.hub = other?.hub ?? new Hub();
    this.hub.replicas.add(this);
  }

  override get replicas(): number {
    return this.hub.replicas.size;
  }

  override topic<M>(name: string, onMessage: (key: string, message: M) => void): Topic<M> {
    if (this.listeners.has(name)) throw new Error(`The topic "${name}" is opened twice`);
    const keys = new Set<string>();
    const hear = (key: string, message: unknown) => {
      if (keys.has(key)) this.call(() => onMessage(key, message as M));
    };
    this.listeners.set(name, { keys, hear });
    return {
      join: (key) => void keys.add(key),
      leave: (key) => void keys.delete(key),
      isHeard: (key) => this.hub.replicas.size > 1 && this.listOthers(name, key).length > 0,
      publish: (key, message) => {
        for (const other of this.listOthers(name, key)) {
          const copy = structuredClone(message);
          queueMicrotask(() => other.hear(key, copy));
        }
      },
    };
  }

  override claims(name: string, onLost: (key: string) => void): Claims {
    if (this.claimed.has(name)) throw new Error(`The claims "${name}" are opened twice`);
    this.claimed.add(name);
    const holders = this.hub.holders.get(name) ?? new Map<string, (key: string) => void>();
    this.hub.holders.set(name, holders);
    const lose = (key: string) => this.call(() => onLost(key));
    return {
      claim: (key) => {
        const older = holders.get(key);
        holders.set(key, lose);
        // Not if the older one has claimed the key again by then.
        if (older && older !== lose) queueMicrotask(() => holders.get(key) === older || older(key));
      },
      release: (key) => {
        if (holders.get(key) === lose) holders.delete(key);
      },
    };
  }

  override async keep(kind: string, key: string, value: string, expiresAt: number): Promise<boolean> {
    const { kept } = this.hub;
    const now = this.clock.now();
    for (const [name, entry] of kept) if (entry.expiresAt <= now) kept.delete(name);
    const name = nameOf(kind, key);
    if (kept.has(name)) return false;
    kept.set(name, { value, expiresAt });
    return true;
  }

  override async take(kind: string, key: string): Promise<string | undefined> {
    const name = nameOf(kind, key);
    const entry = this.hub.kept.get(name);
    this.hub.kept.delete(name);
    return entry && entry.expiresAt > this.clock.now() ? entry.value : undefined;
  }

  private listOthers(topic: string, key: string): readonly Listener[] {
    return [...this.hub.replicas]
      .filter((replica) => replica !== this)
      .map((replica) => replica.listeners.get(topic))
      .filter((listener) => listener !== undefined && listener.keys.has(key)) as Listener[];
  }

  private call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.log.error({ error }, 'a callback of the broker threw');
    }
  }
}

function nameOf(kind: string, key: string): string {
  return JSON.stringify([kind, key]);
}

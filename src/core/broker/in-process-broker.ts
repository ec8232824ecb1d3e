import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { Broker, type ExclusiveKeys, type Topic } from './broker.js';

/** A topic, as seen by the other replicas of the process. */
interface Listener {
  readonly keys: Set<string>;
  hear(key: string, message: unknown): void;
}

/** The state that the replicas of one process share. */
class Hub {
  readonly replicas = new Set<InProcessBroker>();
  /** By name, then by key. */
  readonly holders = new Map<string, Map<string, (key: string) => void>>();
  /** By kind and key. */
  readonly kept = new Map<string, { readonly value: string; readonly expiresAt: number }>();
}

/**
 * The broker of a gateway with one process; the default. Tests join several in one process.
 *
 * It reaches no other process. With a second process on the same store, readers there get blocks without deltas,
 * presence and page sign-in codes are not shared, a client may be connected to both, and each counts its limits alone.
 * A restart loses kept values and exclusive keys.
 */
export class InProcessBroker extends Broker {
  private readonly hub: Hub;
  private readonly listeners = new Map<string, Listener>();
  private readonly exclusive = new Set<string>();
  private readonly log: Log;

  /** @param other a broker in this process to join; both then are replicas of one gateway */
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

  override exclusiveKeys(name: string, onLost: (key: string) => void): ExclusiveKeys {
    if (this.exclusive.has(name)) throw new Error(`The exclusive keys "${name}" are opened twice`);
    this.exclusive.add(name);
    const holders = this.hub.holders.get(name) ?? new Map<string, (key: string) => void>();
    this.hub.holders.set(name, holders);
    const lose = (key: string) => this.call(() => onLost(key));
    return {
      hold: (key) => {
        const older = holders.get(key);
        holders.set(key, lose);
        // Unless the older holder has taken the key back by then.
        if (older && older !== lose) queueMicrotask(() => holders.get(key) === older || older(key));
      },
      release: (key) => {
        if (holders.get(key) === lose) holders.delete(key);
      },
    };
  }

  override async keep(kind: string, key: string, value: string, lifetimeMs: number): Promise<boolean> {
    const { kept } = this.hub;
    const now = this.clock.elapsed();
    for (const [name, entry] of kept) if (entry.expiresAt <= now) kept.delete(name);
    const name = nameOf(kind, key);
    if (kept.has(name)) return false;
    kept.set(name, { value, expiresAt: now + lifetimeMs });
    return true;
  }

  override async take(kind: string, key: string): Promise<string | undefined> {
    const name = nameOf(kind, key);
    const entry = this.hub.kept.get(name);
    this.hub.kept.delete(name);
    return entry && entry.expiresAt > this.clock.elapsed() ? entry.value : undefined;
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

/**
 * Ephemeral traffic between the replicas of one gateway: what is worth something for seconds and is not in the store.
 * Messages between replicas, keys of which only one replica holds each, values that are taken once, and how many
 * replicas there are. Losing all of it harms no stored message.
 *
 * Contract of an engine (`brokerContract` in `src/testing`):
 * - Methods that return nothing return at once and never throw; failures are logged and mended in the background.
 * - Callbacks run after the call that caused them has returned. One that throws is logged and harms no other.
 * - Engines in other processes see JSON: messages and values survive a round trip through it.
 */
export abstract class Broker {
  /** Living replicas, this one included; at least 1. */
  abstract readonly replicas: number;

  /**
   * Opens a topic, once for each name: a second call throws.
   * @param onMessage receives what other replicas publish under keys that this one has joined
   */
  abstract topic<M>(name: string, onMessage: (key: string, message: M) => void): Topic<M>;

  /**
   * Opens a set of claims, once for each name: a second call throws.
   * @param onLost called when another replica has claimed a key that this one held
   */
  abstract claims(name: string, onLost: (key: string) => void): Claims;

  /**
   * Keeps a value until `expiresAt`, in Unix milliseconds, or until it is taken. `key` is visible to engines: pass a
   * digest of what is secret. Returns false when the key is in use, and leaves its value.
   * @throws GatewayError STORE_UNAVAILABLE when nothing could be kept
   */
  abstract keep(kind: string, key: string, value: string, expiresAt: number): Promise<boolean>;

  /**
   * Takes a value that {@link keep} kept, on whatever replica. Of any number of calls at the same time one gets it.
   * Returns undefined when there is none, when it was taken, or when it has expired.
   * @throws GatewayError STORE_UNAVAILABLE when it cannot be told
   */
  abstract take(kind: string, key: string): Promise<string | undefined>;

  /** The part of a limit of the whole gateway that one replica may use up by itself; at least 1. */
  shareOf(limit: number): number {
    return Math.max(1, Math.floor(limit / this.replicas));
  }
}

/** Messages to other replicas. At most once each; those of one replica under one key arrive in the order of publishing. */
export interface Topic<M> {
  /** Begins to receive what others publish under `key`. Idempotent. */
  join(key: string): void;

  /** Stops receiving. Idempotent. */
  leave(key: string): void;

  /**
   * Whether another replica may have joined `key`. Ask before building a message: it is false, and cheap, where this
   * replica is alone.
   */
  isHeard(key: string): boolean;

  /** Sends to the other replicas that have joined `key`, not to this one. A few KB at most. */
  publish(key: string, message: M): void;
}

/** Keys of which one replica holds each: the one whose claim is the newest. */
export interface Claims {
  /** Claims `key` for this replica. Another one that holds it loses it, and learns of it within a second or so. */
  claim(key: string): void;

  /** Gives `key` back; nothing happens when this replica does not hold it. */
  release(key: string): void;
}

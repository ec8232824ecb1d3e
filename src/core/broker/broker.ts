/**
 * Short-lived state and traffic between the replicas of one gateway that is not in the store: messages between
 * replicas, keys that one replica holds at a time, values that can be taken once, and the number of replicas. Losing
 * all of it harms no stored message.
 *
 * Contract of an engine (`brokerContract` in `src/testing`):
 * - Methods without a result return immediately and never throw; failures are logged and repaired in the background.
 * - Callbacks run after the call that caused them has returned. What a callback throws is logged and does not affect
 *   others.
 * - Messages and values must survive a round trip through JSON, which engines use between processes.
 */
export abstract class Broker {
  /** Number of live replicas, including this one; at least 1. */
  abstract readonly replicas: number;

  /**
   * Opens a topic. Throws when it is called twice with one name.
   * @param onMessage called with messages that other replicas publish under keys that this one has joined
   */
  abstract topic<M>(name: string, onMessage: (key: string, message: M) => void): Topic<M>;

  /**
   * Opens a set of exclusive keys. Throws when it is called twice with one name.
   * @param onLost called when another replica has taken over a key that this one held
   */
  abstract exclusiveKeys(name: string, onLost: (key: string) => void): ExclusiveKeys;

  /**
   * Keeps a value for `lifetimeMs`, or until it is taken. `key` is visible to engines, so pass a digest of a secret.
   * Resolves with false, and keeps the old value, if the key is in use.
   * @throws GatewayError STORE_UNAVAILABLE when the value could not be kept
   */
  abstract keep(kind: string, key: string, value: string, lifetimeMs: number): Promise<boolean>;

  /**
   * Takes a value that {@link keep} kept, on any replica. Of concurrent calls exactly one gets it. Resolves with
   * undefined if there is none, or if it was taken or has expired.
   * @throws GatewayError STORE_UNAVAILABLE when the engine cannot be reached
   */
  abstract take(kind: string, key: string): Promise<string | undefined>;

  /** Returns this replica's share of a limit of the whole gateway; at least 1. */
  shareOf(limit: number): number {
    return Math.max(1, Math.floor(limit / this.replicas));
  }
}

/** Messages to other replicas. Each is delivered at most once; those of one replica under one key arrive in order. */
export interface Topic<M> {
  /** Subscribes to messages under `key`. Idempotent. */
  join(key: string): void;

  /** Unsubscribes. Idempotent. */
  leave(key: string): void;

  /**
   * Returns whether another replica may have joined `key`. Check it before building a message: it is cheap, and false
   * for a single replica.
   */
  isHeard(key: string): boolean;

  /** Sends to the other replicas that have joined `key`, not to this one. `message` must be a few KB at most. */
  publish(key: string, message: M): void;
}

/** Keys that one replica holds at a time: the last one that called {@link hold}. */
export interface ExclusiveKeys {
  /**
   * Makes this replica the holder of `key`. Another one that holds it is notified by `onLost` within about a second.
   */
  hold(key: string): void;

  /** Releases `key`; does nothing if this replica does not hold it. */
  release(key: string): void;
}

/** An entry that this gateway has set, or was about to set, in the configuration of Tailscale's `serve`. */
export interface TailscaleEntry {
  /** The name of the machine in the tailnet, without a dot at its end. */
  readonly host: string;
  /** The port at which Tailscale listens. */
  readonly port: number;
  /** Where it forwards to: `http://127.0.0.1:18789`, `unix:/path`. */
  readonly target: string;
  readonly mode: 'serve' | 'funnel';
}

/**
 * Keeps what the gateway has set outside itself, so that the next start knows its own. Calls are durable when they resolve, and
 * reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class TailscaleStore {
  /** Lists the entries by host, port and target. At one host and port there are several while one replaces another. */
  abstract listTailscaleEntries(): Promise<readonly TailscaleEntry[]>;

  /** Keeps an entry. One of the same host, port and target gets its mode. */
  abstract keepTailscaleEntry(entry: TailscaleEntry): Promise<void>;

  abstract forgetTailscaleEntry(entry: TailscaleEntry): Promise<void>;
}

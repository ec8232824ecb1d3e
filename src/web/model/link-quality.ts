import type { ConnectionState } from '../../client/index.js';

/** The state of the connection as the page shows it. */
export type LinkQuality = 'connecting' | 'connected' | 'reconnecting' | 'restarting' | 'offline' | 'unreachable';

/** The facts that {@link describeLink} needs besides the client's state. */
export interface LinkFacts {
  /** True after the gateway announced going away, until it is connected again. */
  readonly isGoingAway: boolean;
  /** False after the device lost its network, until a frame arrives. */
  readonly isOnline: boolean;
  readonly wasConnected: boolean;
}

/** Close codes of a gateway that stops or restarts. */
const LEAVING = new Set([1001, 1012]);

/** Derives the state. A device without a network counts as offline at once: its socket stays open for minutes. */
export function describeLink(state: ConnectionState, facts: LinkFacts): LinkQuality {
  if (!facts.isOnline && state.name !== 'ended') return 'offline';
  switch (state.name) {
    case 'connected':
      return facts.isGoingAway ? 'restarting' : 'connected';
    case 'waiting':
      if (facts.isGoingAway || LEAVING.has(state.loss.code)) return 'restarting';
      return facts.wasConnected ? 'reconnecting' : 'unreachable';
    case 'connecting':
      if (facts.isGoingAway) return 'restarting';
      return facts.wasConnected ? 'reconnecting' : 'connecting';
    default:
      return 'connecting';
  }
}

/**
 * Finds out why the connection fails although the page itself was served; a browser does not report the reason.
 * `refused`: the gateway is healthy, so it refuses this page.
 */
export async function diagnose(): Promise<'refused' | 'away'> {
  try {
    const { ok } = await fetch('health/ready', { credentials: 'omit' });
    return ok ? 'refused' : 'away';
  } catch {
    return 'away';
  }
}

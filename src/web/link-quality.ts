import type { ConnectionState } from '../client/index.js';

/** How the page stands with its gateway, as far as a person cares. */
export type LinkQuality = 'connecting' | 'connected' | 'reconnecting' | 'restarting' | 'offline' | 'unreachable';

/** What else there is to know. */
export interface LinkFacts {
  /** The gateway said that it leaves, and has not been back since. */
  readonly isGoingAway: boolean;
  readonly isOnline: boolean;
  readonly wasConnected: boolean;
}

/** Close codes by which a gateway says that it stops or restarts. */
const LEAVING = new Set([1001, 1012]);

export function describeLink(state: ConnectionState, facts: LinkFacts): LinkQuality {
  switch (state.name) {
    case 'connected':
      return facts.isGoingAway ? 'restarting' : 'connected';
    case 'waiting':
      if (!facts.isOnline) return 'offline';
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
 * What may be wrong while a connection is refused though the page itself was served: a browser does not tell.
 * `refused`: the gateway is well, so it refuses this page.
 */
export async function diagnose(): Promise<'refused' | 'away'> {
  try {
    const { ok } = await fetch('/health/ready', { credentials: 'omit' });
    return ok ? 'refused' : 'away';
  } catch {
    return 'away';
  }
}

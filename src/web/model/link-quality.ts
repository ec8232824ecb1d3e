import type { ConnectionState } from '../../client/index.js';
import type { LinkFinding } from './link-finding.js';

/** The state of the connection as the page shows it. `halfway`: the gateway answers, but no live connection opens. */
export type LinkQuality =
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'restarting'
  | 'offline'
  | 'halfway'
  | 'unreachable';

/** The facts that {@link describeLink} needs besides the client's state. */
export interface LinkFacts {
  /** True after the gateway announced going away, until it is connected again. */
  readonly isGoingAway: boolean;
  /** False after the device lost its network, until a frame arrives. */
  readonly isOnline: boolean;
  readonly wasConnected: boolean;
  /** Why the last attempt has failed; undefined while that is not known. */
  readonly finding: LinkFinding | undefined;
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
      return facts.isGoingAway || LEAVING.has(state.loss.code) ? 'restarting' : describeAttempts(facts);
    case 'connecting':
      return facts.isGoingAway ? 'restarting' : describeAttempts(facts);
    default:
      return 'connecting';
  }
}

/** An attempt that runs changes nothing in what the last one has shown. */
function describeAttempts({ wasConnected, finding }: LinkFacts): LinkQuality {
  if (finding !== undefined && finding !== 'away') return 'halfway';
  if (wasConnected) return 'reconnecting';
  return finding === undefined ? 'connecting' : 'unreachable';
}

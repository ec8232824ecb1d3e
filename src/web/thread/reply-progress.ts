import type { ReplyState } from '../../client/index.js';

/** Returns true when anything of the reply can be shown. */
export function hasBegun({ standing, growing, stale, tools }: ReplyState): boolean {
  return standing.length > 0 || growing.length > 0 || stale.length > 0 || tools.size > 0;
}

/** Returns true when a tool call waits for approval. */
export function isWaitingForPerson({ tools }: ReplyState): boolean {
  return [...tools.values()].some(({ status }) => status === 'awaiting_approval');
}

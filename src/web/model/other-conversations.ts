import type { GatewayClient } from '../../client/index.js';
import type { Conversation } from './conversation.js';

/** Maximum number of conversations followed besides those that were shown. The newest come first. */
const MAX_FOLLOWED = 50;

/** Follows the conversations that this tab has not shown, so that the replies that end there are counted. */
export class OtherConversations {
  #client: Pick<GatewayClient, 'resume'> | undefined;
  readonly #followed = new Set<string>();

  /**
   * Follows those of `listed` that are not followed yet, from where this browser has shown them. `client`: a new one
   * follows nothing.
   */
  follow(client: Pick<GatewayClient, 'resume'>, listed: readonly Conversation[]): void {
    if (client !== this.#client) this.#followed.clear();
    this.#client = client;
    for (const { transcript, seenUpTo } of listed) {
      const { sessionId, isLoaded } = transcript;
      if (sessionId === undefined || isLoaded || seenUpTo === 0 || this.#followed.has(sessionId)) continue;
      if (this.#followed.size >= MAX_FOLLOWED) return;
      this.#followed.add(sessionId);
      // A session that cannot be followed is not counted; opening it says why.
      client.resume([{ session_id: sessionId, after_seq: seenUpTo }]).catch(() => {});
    }
  }
}

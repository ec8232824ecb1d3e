import { GatewayError, type WebchatConversation } from '../../client/index.js';
import type { Conversation } from './conversation.js';
import { NEW, type Conversations } from './conversations.js';
import type { GatewayLink } from './gateway-link.js';

/** Why the conversation of an address is not shown (yet). */
export type Absence = 'looking' | 'missing' | 'unreadable';

/** The errors of the gateway that mean that there is no such conversation, or none for this person. */
const MISSING = /^(?:NOT_FOUND|INVALID_PAYLOAD)$/;

/**
 * Opens the conversations that addresses name: those of this browser at once, others after the gateway has said who
 * speaks in them. A page that is bound to one sender has no others.
 */
export class Visitor {
  #absence: Absence | undefined;
  #wanted = '';

  constructor(
    private readonly conversations: Conversations,
    private readonly link: GatewayLink,
    private readonly open: (conversation: Conversation) => void,
    private readonly changed: () => void,
  ) {}

  /** Undefined while a conversation is shown. */
  get absence(): Absence | undefined {
    return this.conversations.active ? undefined : this.#absence;
  }

  async visit(name: string): Promise<void> {
    const { conversations } = this;
    this.#wanted = name;
    const known = conversations.findByName(name) ?? (name === NEW ? conversations.openNew() : undefined);
    if (known) return this.open(known);
    conversations.leave();
    // Before the gateway has identified the page, what is stored may not be all that there is.
    const isAlone = conversations.isBound && this.link.identity !== undefined;
    this.#absence = isAlone ? 'missing' : 'looking';
    this.changed();
    if (!isAlone && this.link.identity !== undefined) await this.#look(name);
  }

  async #look(name: string): Promise<void> {
    const found = await this.#find(name);
    // Meanwhile the person may have gone elsewhere.
    if (this.#wanted !== name || this.conversations.active !== undefined) return;
    if (typeof found !== 'string') {
      const conversation = this.conversations.add(found.sender, name);
      if (found.principal !== this.link.identity?.principal) conversation.founder = found.principal;
      this.open(conversation);
      return;
    }
    this.#absence = found;
    this.changed();
  }

  async #find(name: string): Promise<WebchatConversation | 'missing' | 'unreadable'> {
    try {
      const found = (await this.link.client?.ask('webchat.find', { session_id: name })) as
        | WebchatConversation
        | undefined;
      if (!found) return 'unreadable';
      // The sender writes into another session by now: with another agent.
      const isElsewhere = this.conversations.findBySender(found.sender)?.transcript.sessionId !== undefined;
      return isElsewhere ? 'missing' : found;
    } catch (error) {
      return error instanceof GatewayError && MISSING.test((error as GatewayError).code) ? 'missing' : 'unreadable';
    }
  }
}

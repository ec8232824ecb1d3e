import { html, nothing, type TemplateResult } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';

/**
 * Returns the name of the author of a message; undefined for the person of this page. Several people may speak as the sender
 * of a conversation: then their principals differ. @param person the principal of this page
 */
export function nameAuthor(
  { sender, senderName, principal }: Pick<TranscriptMessage, 'sender' | 'senderName' | 'principal'>,
  conversation: Pick<Conversation, 'sender'>,
  person: string | undefined,
): string | undefined {
  if (sender !== '' && sender !== conversation.sender) return senderName ?? sender;
  return principal === undefined || principal === person ? undefined : (senderName ?? principal);
}

/** Renders whose conversation it is, unless the person of this page began it. */
export function renderFounder({ active, link: { identity } }: Chat): TemplateResult | typeof nothing {
  if (active?.founder === undefined || !identity) return nothing;
  return html`<p class="column founder">
    ${icons.person}<span dir="auto">${texts.thread.founder(active.founder, identity.principal)}</span>
  </p>`;
}

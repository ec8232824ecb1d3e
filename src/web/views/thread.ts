import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Conversation, Message } from '../conversation.js';
import { texts } from '../texts.js';
import { formatDay, isSameDay } from '../times.js';
import { renderMessage, type MessageSurroundings } from './message.js';

/** What a thread needs to know of the page around it. */
export interface ThreadSurroundings extends Omit<MessageSurroundings, 'isCurrent' | 'isCopied'> {
  readonly isLoadingOlder: boolean;
  readonly wasForgotten: boolean;
  /** The message whose reply was copied a moment ago. */
  readonly copied: Message | undefined;
  /** Whether the built-in agent answers, which has commands to try. */
  readonly isBuiltin: boolean;
  /** Sends one of the texts that are offered to begin with. */
  say(text: string): void;
}

/** All that is shown of a conversation. */
export function renderThread(conversation: Conversation, around: ThreadSurroundings): TemplateResult {
  const { messages, olderCursor, isLoaded, sessionId, current } = conversation;
  if (messages.length === 0) {
    const isUnread = sessionId !== undefined && !isLoaded;
    return isUnread ? html`<p class="note" role="status">${texts.thread.loading}</p>` : renderEmpty(around);
  }
  const now = Date.now();
  const today = new Date(now).toDateString();
  return html`
    ${olderCursor !== undefined || around.isLoadingOlder ? html`<p class="note" role="status">${around.isLoadingOlder ? texts.thread.loadingOlder : ''}</p>` : nothing}
    ${repeat(
      messages,
      ({ key }) => key,
      (message, i) => {
        const before = messages[i - 1];
        const beginsDay = !before || !isSameDay(before.sentAt, message.sentAt);
        const isCurrent = message === current;
        const isCopied = message === around.copied;
        return guard([message, message.version, around.isConnected, isCurrent, isCopied, beginsDay, today], () => [
          beginsDay ? html`<h3 class="day">${formatDay(message.sentAt, now)}</h3>` : nothing,
          renderMessage(message, { ...around, isCurrent, isCopied }),
        ]);
      },
    )}
  `;
}

function renderEmpty({ agent, say, wasForgotten, isBuiltin }: ThreadSurroundings): TemplateResult {
  return html`<div class="empty">
    <h2>${texts.empty.heading(agent)}</h2>
    ${wasForgotten ? html`<p>${texts.empty.forgotten}</p>` : nothing}
    <p>${isBuiltin ? texts.empty.offer : texts.empty.explanation}</p>
    <ul ?hidden=${!isBuiltin}>
      ${texts.empty.suggestions.map(
        ({ text, about }) =>
          html`<li>
            <button type="button" class="suggestion" @click=${() => say(text)}>
              <code>${text}</code><span>${about}</span>
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { texts } from '../texts.js';
import { formatDay, isSameDay } from '../times.js';
import { isNewest } from './fate.js';
import { renderMessage, type Thread } from './message.js';

/** Renders all messages of a conversation, or how to start one. */
export function renderThread(thread: Thread): TemplateResult {
  const { chat, conversation, copier } = thread;
  const { messages, olderCursor, isLoaded, isLoadingOlder, sessionId, current } = conversation.transcript;
  if (messages.length === 0) {
    const isUnread = sessionId !== undefined && !isLoaded;
    return isUnread ? html`<p class="note" role="status">${texts.thread.loading}</p>` : renderEmpty(thread);
  }
  const now = Date.now();
  const openCount = messages.filter(({ phase }) => phase === 'open').length;
  const today = new Date(now).toDateString();
  return html`
    ${olderCursor !== undefined || isLoadingOlder ? html`<p class="note" role="status">${isLoadingOlder ? texts.thread.loadingOlder : ''}</p>` : nothing}
    ${repeat(
      messages,
      ({ key }) => key,
      (message, i) => {
        const before = messages[i - 1];
        const beginsDay = !before || !isSameDay(before.sentAt, message.sentAt);
        const isCurrent = message === current;
        const isCancelling = conversation.isCancelling(message);
        const isLate = chat.outbox.isLate(message.id);
        const shown: unknown[] = [
          message,
          chat.isConnected,
          isCurrent,
          isCancelling,
          copier.hasCopied(message),
          beginsDay,
          today,
        ];
        shown.push(isLate, isNewest(message, thread), chat.link.troubleSince, openCount);
        return guard(shown, () => [
          beginsDay ? html`<h3 class="day">${formatDay(message.sentAt, now)}</h3>` : nothing,
          renderMessage(message, thread),
        ]);
      },
    )}
  `;
}

function renderEmpty({ chat, conversation, writing }: Thread): TemplateResult {
  const { identity, agentName } = chat.link;
  // The built-in agent has commands to try.
  const isBuiltin = identity?.agent_runtime === 'builtin';
  return html`<div class="empty">
    <h2>${texts.empty.heading(agentName)}</h2>
    ${conversation.wasForgotten ? html`<p>${texts.empty.forgotten}</p>` : nothing}
    <p>${isBuiltin ? texts.empty.offer : texts.empty.explanation}</p>
    <ul ?hidden=${!isBuiltin}>
      ${texts.empty.suggestions.map(
        ({ text, about }) =>
          html`<li>
            <button type="button" class="suggestion" @click=${() => writing.send(text)}>
              <code>${text}</code><span>${about}</span>
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

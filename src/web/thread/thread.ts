import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../design/icons.js';
import type { TranscriptMessage, WebchatIdentity } from '../../client/index.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { texts } from '../texts.js';
import { formatDay, isSameDay } from '../times.js';
import { groupEarlier } from './earlier.js';
import { isNewest } from './fate.js';
import { renderMessage, type Thread } from './message.js';
import { renderNoModel } from './no-model.js';

/** Renders all messages of a conversation, or how to start one. */
export function renderThread(thread: Thread): TemplateResult {
  const { chat, conversation } = thread;
  const { messages, olderCursor, isLoaded, isLoadingOlder, sessionId, current } = conversation.transcript;
  const isUnread = sessionId !== undefined && !isLoaded;
  if (messages.length === 0) return isUnread ? renderUnread(thread) : renderEmpty(thread);
  const items = groupEarlier(messages);
  const now = gatewayClock.now();
  const openCount = messages.filter(({ phase }) => phase === 'open').length;
  const today = new Date(now).toDateString();
  return html`
    ${isUnread ? renderUnread(thread) : nothing}${olderCursor !== undefined || isLoadingOlder ? renderOlder(thread) : nothing}
    ${repeat(
      items,
      ({ key }) => key,
      ({ messages: [message, ...more], isEarlier }, i) => {
        const before = items[i - 1]?.messages[0];
        const beginsDay = !before || !isSameDay(before.sentAt, message.sentAt);
        const isCurrent = message === current;
        const isCancelling = conversation.isCancelling(message);
        const shown: unknown[] = [
          message,
          ...more,
          chat.isConnected,
          isCurrent,
          isCancelling,
          beginsDay,
          today,
          chat.outbox.isLate(message.id),
          isNewest(message, thread),
          chat.link.troubleSince,
          openCount,
        ];
        return guard(shown, () => [
          beginsDay ? html`<h2 class="day">${formatDay(message.sentAt, now)}</h2>` : nothing,
          isEarlier ? renderEarlier([message, ...more], thread) : renderMessage(message, thread),
        ]);
      },
    )}
  `;
}

/** Renders that messages are there and not read yet. */
function renderUnread({ chat, conversation }: Thread): TemplateResult {
  if (conversation.isUnreadable) return renderMissing(texts.thread.unreadable, () => chat.open(conversation));
  return html`<p class="note" role="status">${chat.isReaching ? texts.thread.loading : texts.thread.unread}</p>`;
}

/** Renders, above the first message, that there are earlier ones. */
function renderOlder({ chat, conversation }: Thread): TemplateResult {
  const { isLoadingOlder, isOlderMissing } = conversation.transcript;
  if (!isOlderMissing)
    return html`<p class="note" role="status">${isLoadingOlder ? texts.thread.loadingOlder : ''}</p>`;
  return renderMissing(texts.thread.olderMissing, () => void chat.reader.loadOlder(conversation, true));
}

function renderMissing(sentence: string, tryAgain: () => void): TemplateResult {
  return html`<p class="note" role="status">
    <span class="state warn">${icons.warning}${sentence}</span>
    <button type="button" class="quiet" @click=${tryAgain}>${texts.media.tryAgain}</button>
  </p>`;
}

/** Renders superseded messages, folded. The agent no longer knows them; the reader can open them. */
function renderEarlier(messages: readonly TranscriptMessage[], thread: Thread): TemplateResult {
  return html`<details class="earlier">
    <summary>${icons.chevron}${texts.thread.earlier(messages.length)}</summary>
    ${messages.map((message) => renderMessage(message, thread))}
  </details>`;
}

function renderEmpty(thread: Thread): TemplateResult {
  const { chat, conversation, writing } = thread;
  const { identity, agentName } = chat.link;
  const starters = listStarters(identity);
  return html`<div class="empty">
    <h2>${texts.empty.heading(agentName)}</h2>
    ${conversation.wasForgotten ? html`<p>${texts.empty.forgotten}</p>` : nothing}
    <p>${starters.length > 0 ? texts.empty.offer : texts.empty.explanation}</p>
    <ul ?hidden=${starters.length === 0}>
      ${starters.map(
        ({ text, about }) =>
          html`<li>
            <button type="button" class="suggestion" @click=${() => writing.send(text)}>
              ${about === undefined ? html`<span class="starter" dir="auto">${text}</span>` : html`<code dir="ltr">${text}</code><span>${about}</span>`}
            </button>
          </li>`,
      )}
    </ul>
    ${renderNoModel(thread)}
  </div>`;
}

/** Returns the starters that the operator has set, or else the commands of the built-in agent. */
function listStarters(
  identity: WebchatIdentity | undefined,
): readonly { readonly text: string; readonly about?: string }[] {
  const starters = identity?.starters ?? [];
  if (starters.length > 0) return starters.map((text) => ({ text }));
  return identity?.agent_runtime === 'builtin' ? texts.empty.suggestions : [];
}

import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Chat } from '../chat.js';
import type { Conversation } from '../conversation.js';
import { texts } from '../texts.js';
import { icons } from './icons.js';

/** The list of conversations. */
export function renderSidebar(
  { list }: Chat,
  actions: {
    open(conversation: Conversation): void;
    openNew(): void;
    remove(conversation: Conversation): void;
    close(): void;
  },
): TemplateResult {
  return html`<nav class="sidebar" id="conversations" aria-label=${texts.conversations.heading}>
    <div class="bar">
      <h2>${texts.conversations.heading}</h2>
      <button
        type="button"
        class="icon-button only-narrow"
        aria-label=${texts.conversations.close}
        @click=${actions.close}
      >
        ${icons.close}
      </button>
    </div>
    <button type="button" class="create" @click=${actions.openNew}>${icons.plus}${texts.conversations.create}</button>
    <ul>
      ${repeat(
        list.all,
        ({ sender }) => sender,
        (conversation) => {
          const title = list.titleOf(conversation) ?? texts.conversations.untitled;
          const isActive = conversation === list.active;
          return html`<li class=${isActive ? 'active' : ''}>
            <button
              type="button"
              class="entry"
              aria-current=${isActive ? 'page' : nothing}
              @click=${() => actions.open(conversation)}
            >
              <span dir="auto">${title}</span>
              ${list.unread.has(conversation) ? html`<i class="unread" role="img" aria-label=${texts.conversations.unread}></i>` : nothing}
            </button>
            <button
              type="button"
              class="icon-button remove"
              aria-label=${texts.conversations.remove(title)}
              @click=${() => actions.remove(conversation)}
            >
              ${icons.close}
            </button>
          </li>`;
        },
      )}
    </ul>
  </nav>`;
}

import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../design/icons.js';
import type { Conversation } from '../model/conversation.js';
import type { Conversations } from '../model/conversations.js';
import { texts } from '../texts.js';

/** The commands of the list. */
export interface SidebarActions {
  open(conversation: Conversation): void;
  openNew(): void;
  remove(conversation: Conversation): void;
  close(): void;
}

/** Renders the list of conversations. */
export function renderSidebar({ all, active }: Conversations, actions: SidebarActions): TemplateResult {
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
        all,
        ({ sender }) => sender,
        (conversation) => renderEntry(conversation, conversation === active, actions),
      )}
    </ul>
  </nav>`;
}

function renderEntry(conversation: Conversation, isActive: boolean, actions: SidebarActions): TemplateResult {
  const title = conversation.title ?? texts.conversations.untitled;
  return html`<li class=${isActive ? 'active' : ''}>
    <button
      type="button"
      class="entry"
      aria-current=${isActive ? 'page' : nothing}
      @click=${() => actions.open(conversation)}
    >
      <span dir="auto">${title}</span>
      ${conversation.isUnread ? html`<i class="unread" role="img" aria-label=${texts.conversations.unread}></i>` : nothing}
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
}

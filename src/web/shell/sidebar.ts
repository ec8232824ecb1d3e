import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../design/icons.js';
import type { PageMenu } from '../design/menu.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { NEW } from '../model/conversations.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { writePlace } from '../model/place.js';
import { texts } from '../texts.js';
import { patternOf } from '../model/search-words.js';
import { groupConversations } from './conversation-groups.js';
import type { ConversationList } from './conversation-list.js';
import type { ConversationMenu } from './conversation-menu.js';

/** The list of conversations, and what its buttons act on. */
export interface Sidebar {
  readonly chat: Chat;
  readonly list: ConversationList;
  readonly menu: ConversationMenu;
  /** False while neither the gateway nor the browser has said what there is. */
  readonly isKnown: boolean;
  openNew(): void;
  close(): void;
}

/** Renders the list of conversations with its search. */
export function renderSidebar(sidebar: Sidebar): TemplateResult {
  const { list } = sidebar;
  const { create, close, heading } = texts.conversations;
  return html`<nav class="sidebar" id="conversations" aria-label=${heading} ?inert=${!sidebar.isKnown}>
    <div class="tools">
      <button type="button" class="plain create" aria-label=${create} @click=${() => sidebar.openNew()}>
        ${icons.create}${texts.conversations.createShort}
      </button>
      <button type="button" class="icon-button" aria-label=${close} title=${close} @click=${() => sidebar.close()}>
        ${icons.list}
      </button>
    </div>
    <label class="search">
      ${icons.search}<span class="visually-hidden">${texts.search.label}</span>
      <input
        type="search"
        class="field"
        placeholder=${texts.search.placeholder}
        .value=${list.words}
        autocomplete="off"
        @input=${(event: InputEvent) => list.type((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => leaveSearch(event, list)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
    <div class="groups">${list.isSearching ? renderFound(sidebar) : renderGroups(sidebar)}</div>
  </nav>`;
}

function renderGroups(sidebar: Sidebar): TemplateResult {
  const { chat } = sidebar;
  const { listed } = chat.conversations;
  if (!sidebar.isKnown) return html``;
  if (listed.length === 0) return html`<p class="faint none">${texts.conversations.none}</p>`;
  return html`${groupConversations(listed, gatewayClock.now()).map(
    ({ heading, conversations }) =>
      html`<h2 class="group">${heading}</h2>
        ${renderRows(conversations, sidebar)}`,
  )}`;
}

function renderFound(sidebar: Sidebar): TemplateResult {
  const { found, hits } = sidebar.list;
  return html`<h2 class="group">${texts.search.titles}</h2>
    ${found.length === 0 ? html`<p class="faint none">${texts.search.noTitle}</p>` : renderRows(found, sidebar)}
    ${hits?.() ?? nothing}`;
}

function renderRows(conversations: readonly Conversation[], sidebar: Sidebar): TemplateResult {
  return html`<ul>
    ${repeat(
      conversations,
      ({ sender }) => sender,
      (conversation) => renderRow(conversation, sidebar),
    )}
  </ul>`;
}

function renderRow(conversation: Conversation, sidebar: Sidebar): TemplateResult {
  const { chat, list, menu } = sidebar;
  const isActive = conversation === chat.active;
  if (list.renaming === conversation) return html`<li class=${isActive ? 'active' : ''}>${renderNaming(sidebar)}</li>`;
  const title = conversation.title ?? texts.conversations.untitled;
  const { unread, founder } = conversation;
  return html`<li
    class=${isActive ? 'active' : ''}
    @contextmenu=${openMenu}
    @keydown=${(event: KeyboardEvent) => event.key === 'F2' && list.rename(conversation)}
  >
    <a
      class="entry"
      href=${writePlace({ conversation: chat.conversations.nameOf(conversation) ?? NEW })}
      title=${title}
      aria-current=${isActive ? 'page' : nothing}
    >
      <span class="names">
        <span class="title" dir="auto">${renderMarked(title, list.words)}</span>${
          founder === undefined ? nothing : html`<span class="faint" dir="auto">${founder}</span>`
        }
      </span>
      ${
        unread > 0
          ? html`<span class="unread"
              >${unread}<span class="visually-hidden"> ${texts.conversations.unread(unread)}</span></span
            >`
          : nothing
      }
    </a>
    <page-menu .label=${texts.conversations.more(title)} .items=${menu.list(chat, conversation)}></page-menu>
  </li>`;
}

/** A right click, and a long press on a touch screen, open the menu of the row. */
function openMenu(event: MouseEvent): void {
  event.preventDefault();
  if (event.currentTarget instanceof Element) event.currentTarget.querySelector<PageMenu>('page-menu')?.open();
}

function renderNaming({ chat, list, menu }: Sidebar): TemplateResult {
  const { renaming } = list;
  const finish = (event: Event) => {
    const { value } = event.target as HTMLInputElement;
    if (renaming && list.renaming === renaming) {
      chat.change(renaming, () => renaming.rename(value));
      menu.checkKept(chat);
    }
    list.rename(undefined);
  };
  const press = (event: KeyboardEvent) => {
    if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.stopPropagation();
    // The row gets the focus back, and would be pressed by the same key.
    event.preventDefault();
    if (event.key === 'Enter') finish(event);
    else list.rename(undefined);
  };
  return html`<input
    class="field naming"
    dir="auto"
    aria-label=${texts.conversations.name}
    maxlength="120"
    .value=${renaming?.title ?? ''}
    @keydown=${press}
    @blur=${finish}
  />`;
}

function leaveSearch(event: KeyboardEvent, list: ConversationList): void {
  if (event.key !== 'Escape' || event.isComposing || list.words === '') return;
  event.stopPropagation();
  list.type('');
}

/** Renders a text with the found words marked. */
function renderMarked(text: string, words: string): TemplateResult {
  const match = words.trim() === '' ? null : patternOf(words).exec(text);
  if (!match) return html`${text}`;
  const end = match.index + match[0].length;
  return html`${text.slice(0, match.index)}<mark>${match[0]}</mark>${text.slice(end)}`;
}

import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import { texts } from '../texts.js';

/** The state of the list beside the header; `openMenu` is missing on a page without a list. */
export interface HeaderMenu {
  readonly isMenuOpen: boolean;
  readonly openMenu: (() => void) | undefined;
}

/** Renders the title, the state of the connection and the sign-out button. */
export function renderHeader(chat: Chat, menu: HeaderMenu): TemplateResult {
  const { link } = chat;
  const title = menu.openMenu && chat.active?.title;
  return html`<header class="bar">
      ${menu.openMenu ? renderMenuButton(menu) : nothing}
      <h1 dir="auto">${title ?? link.agentName}</h1>
      <p class="link ${link.quality}">
        <i aria-hidden="true"></i><span role="status">${texts.link[link.quality]}</span>
      </p>
      ${
        link.quality === 'connected' || link.quality === 'connecting'
          ? nothing
          : html`<button type="button" class="quiet" @click=${() => link.reconnect()}>${texts.link.tryNow}</button>`
      }
      ${chat.isSignedIn ? html`<button type="button" class="quiet" @click=${() => chat.signOut()}>${texts.signIn.signOut}</button>` : nothing}
    </header>
    ${link.isRefused ? html`<p class="trouble strip" role="alert">${texts.link.refused(location.origin)}</p>` : nothing}`;
}

function renderMenuButton({ isMenuOpen, openMenu }: HeaderMenu): TemplateResult {
  return html`<button
    type="button"
    class="icon-button only-narrow"
    aria-label=${texts.conversations.open}
    aria-expanded=${isMenuOpen}
    aria-controls="conversations"
    @click=${openMenu}
  >
    ${icons.menu}
  </button>`;
}

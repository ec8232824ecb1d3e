import { html, nothing, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import type { GatewayLink } from '../model/gateway-link.js';
import type { LinkQuality } from '../model/link-quality.js';
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
  return html`<div class="head">
    <header class="bar">
      ${menu.openMenu ? renderMenuButton(menu) : nothing}
      <h1 dir="auto">${title ?? link.agentName}</h1>
      ${renderLink(link)}
      ${chat.isSignedIn ? html`<button type="button" class="quiet" @click=${() => chat.signOut()}>${texts.signIn.signOut}</button>` : nothing}
    </header>
    ${renderTrouble(chat)}${link.isRefused ? html`<p class="trouble strip" role="alert">${texts.link.refused(location.origin)}</p>` : nothing}
  </div>`;
}

const LOOKS: Readonly<Record<LinkQuality, readonly [DirectiveResult, string]>> = {
  connected: [icons.done, 'good'],
  connecting: [icons.working, 'info'],
  reconnecting: [icons.working, 'warn'],
  restarting: [icons.working, 'warn'],
  offline: [icons.offline, 'bad'],
  unreachable: [icons.offline, 'bad'],
};

/** Renders the state of the connection: nothing to see while all is well. */
function renderLink({ quality }: GatewayLink): TemplateResult {
  const [icon, tone] = LOOKS[quality];
  const isWell = quality === 'connected';
  return html`<p class="link state ${tone} ${isWell ? 'visually-hidden' : ''}">
    ${isWell ? nothing : icon}<span role="status">${texts.link[quality]}</span>
  </p>`;
}

/** Renders what a lost connection means for the writer, once it lasts, and what was sent when it is back. */
function renderTrouble({ link, outbox }: Chat): TemplateResult | typeof nothing {
  if (link.isTroubleLong) {
    return html`<p class="strip state warn" role="status">
      ${icons.warning}<span>${texts.link.kept}</span>
      <button type="button" class="quiet" @click=${() => link.reconnect()}>${texts.link.tryNow}</button>
    </p>`;
  }
  return outbox.caughtUp > 0 && link.quality === 'connected'
    ? html`<p class="strip state good" role="status">${icons.stored}${texts.link.caughtUp(outbox.caughtUp)}</p>`
    : nothing;
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

import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import type { Look } from '../design/look.js';
import type { MenuItem } from '../design/menu.js';
import type { Chat } from '../model/chat.js';
import type { GatewayLink } from '../model/gateway-link.js';
import type { LinkFinding } from '../model/link-finding.js';
import type { LinkQuality } from '../model/link-quality.js';
import { texts } from '../texts.js';

/** The parts of the page that the header shows or acts on. */
export interface HeaderParts {
  readonly isListOpen: boolean;
  /** Missing on a page without a list. */
  readonly openList: (() => void) | undefined;
  readonly menu: readonly MenuItem[];
}

/** Renders the title, the state of the connection while it is not well, and the menu. */
export function renderHeader(chat: Chat, parts: HeaderParts): TemplateResult {
  const { link } = chat;
  const title = parts.openList && chat.active?.title;
  return html`<div class="head">
    <header class="bar">
      ${parts.openList ? renderListButton(parts) : nothing}
      <h1 dir="auto" title=${title ?? nothing}>${title ?? link.agentName}</h1>
      ${renderLink(link)}
      <page-menu .label=${texts.menu} .items=${parts.menu}></page-menu>
    </header>
    ${chat.leaving.isWaiting ? renderLeaving(chat) : renderTrouble(chat)}
  </div>`;
}

const LOOKS: Readonly<Record<LinkQuality, Look>> = {
  connected: [icons.done, 'good'],
  connecting: [icons.working, 'info'],
  reconnecting: [icons.working, 'warn'],
  restarting: [icons.working, 'warn'],
  offline: [icons.offline, 'bad'],
  halfway: [icons.offline, 'bad'],
  unreachable: [icons.offline, 'bad'],
};

/** Renders the state of the connection. It is not visible while all is well. */
function renderLink({ quality }: GatewayLink): TemplateResult {
  const [icon, tone] = LOOKS[quality];
  const isWell = quality === 'connected';
  return html`<p class="link state ${tone} ${isWell ? 'visually-hidden' : ''}">
    ${isWell ? nothing : icon}<span role="status">${texts.link[quality]}</span>
  </p>`;
}

/** Renders that the person is signed out as soon as their messages are sent. */
function renderLeaving({ leaving, outbox }: Chat): TemplateResult {
  return html`<p class="strip state info stays" role="status">
    ${icons.leave}<span>${texts.signOut.waiting(outbox.messages.length)}</span>
    <button type="button" class="quiet" @click=${() => leaving.stay()}>${texts.signOut.cancel}</button>
  </p>`;
}

/** Renders a strip while a loss of the connection lasts and, once it is back, the number of messages then sent. */
function renderTrouble(chat: Chat): TemplateResult | typeof nothing {
  const { link, outbox } = chat;
  if (link.quality === 'halfway') return renderFinding(chat);
  if (link.isTroubleLong) {
    return html`<p class="strip state warn" role="status">
      ${icons.warning}<span>${outbox.isLasting ? texts.link.kept : texts.link.notKept}</span>
      <button type="button" class="quiet" @click=${() => link.reconnect()}>${texts.link.tryNow}</button>
    </p>`;
  }
  return outbox.caughtUp > 0 && link.quality === 'connected'
    ? html`<p class="strip state good" role="status">${icons.stored}${texts.link.caughtUp(outbox.caughtUp)}</p>`
    : nothing;
}

/** Returns what is known of the reason why no live connection opens; empty when the gateway itself is away. */
export function describeFinding(finding: LinkFinding | undefined): string {
  return finding === undefined || finding === 'away' ? '' : texts.link.findings[finding](location.origin);
}

/** Renders what is known about a connection that does not open, with the likely causes when the reason is not known. */
function renderFinding({ link, outbox }: Chat): TemplateResult {
  const { heading, list } = texts.link.causes;
  return html`<div class="strip state warn stays finding" role="status">
    ${icons.warning}
    <div>
      <p>${describeFinding(link.finding)} ${outbox.isLasting ? texts.link.kept : texts.link.notKept}</p>
      <div class="remedies">
        <button type="button" class="quiet" @click=${() => link.reconnect()}>${texts.link.tryNow}</button>
        ${
          link.finding === 'answers'
            ? html`<details>
                <summary>${icons.chevron}${heading}</summary>
                <ol>
                  ${list.map((cause) => html`<li>${cause}</li>`)}
                </ol>
              </details>`
            : nothing
        }
      </div>
    </div>
  </div>`;
}

function renderListButton({ isListOpen, openList }: HeaderParts): TemplateResult {
  const label = texts.conversations.open;
  return html`<button
    type="button"
    class="icon-button show-list"
    aria-label=${label}
    title=${label}
    aria-expanded=${isListOpen}
    aria-controls="conversations"
    @click=${openList}
  >
    ${icons.list}
  </button>`;
}

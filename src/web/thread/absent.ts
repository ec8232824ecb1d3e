import { html, nothing, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import { NEW } from '../model/conversations.js';
import { writePlace } from '../model/place.js';
import type { Absence } from '../model/visitor.js';
import { texts } from '../texts.js';

/** Renders why the conversation of an address is not shown, and where to go instead. */
export function renderAbsent(chat: Chat, absence: Absence): TemplateResult {
  if (absence === 'looking')
    return html`<p class="note" role="status">${chat.isReaching ? texts.thread.loading : texts.absent.later}</p>`;
  if (absence === 'unreadable') {
    return html`<p class="note" role="status">
      <span class="state warn">${icons.warning}${texts.thread.unreadable}</span>
      <button type="button" class="quiet" @click=${() => void chat.visit()}>${texts.media.tryAgain}</button>
    </p>`;
  }
  const { heading, reason, own, newest, create } = texts.absent;
  const { isBound, all, listed } = chat.conversations;
  const [other] = isBound ? all : listed;
  const name = other && (chat.conversations.nameOf(other) ?? NEW);
  return html`<div class="empty" role="status">
    <h2>${heading}</h2>
    <p>${reason}</p>
    <ul class="ways">
      ${name === undefined ? nothing : renderWay(icons.list, name, isBound ? own : newest, isBound ? undefined : other?.title)}
      ${isBound ? nothing : renderWay(icons.create, NEW, create)}
    </ul>
  </div>`;
}

function renderWay(icon: DirectiveResult, conversation: string, label: string, title?: string): TemplateResult {
  return html`<li>
    <a class="suggestion way" href=${writePlace({ conversation })}>
      ${icon}<span class="names">
        <strong>${label}</strong> ${title === undefined ? nothing : html`<span dir="auto">${title}</span>`}
      </span>
      ${icons.chevron}
    </a>
  </li>`;
}

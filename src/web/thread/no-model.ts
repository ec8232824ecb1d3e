import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import type { GatewayLink } from '../model/gateway-link.js';
import { texts } from '../texts.js';
import type { Thread } from './message.js';

/** The scopes of a person who may set up a model. */
const NEEDED_SCOPES = ['admin:read', 'config:write', 'config:dangerous'];

/**
 * Renders, in an empty conversation, that the gateway has no model: for an operator with the form that sets one up, for
 * another person with who can.
 */
export function renderNoModel({ chat, writing }: Thread): TemplateResult | typeof nothing {
  const { link } = chat;
  if (link.identity?.agent_runtime !== 'builtin') return nothing;
  const { lead, open, byOperator } = texts.noModel;
  if (!NEEDED_SCOPES.every((scope) => link.may(scope)))
    return html`<p class="note no-model">${lead} ${chat.token === undefined ? renderRemedy(link) : byOperator}</p>`;
  const load = (event: Event) => {
    const isOpen = event.target instanceof HTMLDetailsElement && event.target.open;
    if (isOpen) import('../setup/setup-card.js').catch(() => (writing.notice = texts.noModel.unloaded));
  };
  return html`<details class="setup no-model" @toggle=${load}>
    <summary>
      ${icons.chevron}<span>${lead} <strong>${open}</strong></span>
    </summary>
    <chat-setup .readToken=${() => chat.token}></chat-setup>
  </details>`;
}

/** Renders what a person at the machine of a gateway without credentials can do. */
function renderRemedy(link: GatewayLink): TemplateResult {
  const signIn = () => link.signOut(texts.signIn.local);
  return html`${texts.noModel.byCommand}
    <button type="button" class="plain" @click=${signIn}>${texts.signIn.submit}</button>`;
}

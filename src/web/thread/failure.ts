import { html, nothing, type TemplateResult } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { copyText } from '../design/clipboard.js';
import { icons } from '../design/icons.js';
import { texts } from '../texts.js';
import type { Thread } from './message.js';

/** Renders a reply that ended with an error: a sentence for people, a remedy, and the details for an operator. */
export function renderFailure(message: TranscriptMessage, { writing }: Thread): TemplateResult {
  const { error } = message.reply.end ?? {};
  const details = error && `${error.message} (${error.code}) ${message.ref ?? ''}`.trim();
  return html`<div class="trouble failure" role="group">
    <p class="state bad">${icons.failed}${texts.message.failures[error?.code ?? ''] ?? texts.message.failed}</p>
    <button type="button" class="plain" @click=${() => writing.answerAgain(message)}>
      ${icons.retry}${texts.message.tryAgain}
    </button>
    ${
      details === undefined
        ? nothing
        : html`<details>
            <summary>${icons.chevron}${texts.message.details}</summary>
            <p dir="auto">${details}</p>
            <chat-copy .label=${texts.message.copyDetails} .copy=${() => copyText(details)}></chat-copy>
          </details>`
    }
  </div>`;
}

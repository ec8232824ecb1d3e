import { html, nothing, type TemplateResult } from 'lit';
import type { Message } from '../conversation.js';
import type { MediaFiles } from '../media-files.js';
import { texts } from '../texts.js';
import { formatFully, formatTime } from '../times.js';
import { describeBlock, renderBlocks, renderOwnMedia } from './blocks.js';
import { icons } from './icons.js';
import type { Decide } from './tools.js';

/** What a message needs to know of the page around it. */
export interface MessageSurroundings {
  readonly agent: string;
  /** As whom the page speaks. */
  readonly sender: string;
  readonly isConnected: boolean;
  /** Whether this is the message whose reply is to come next. */
  readonly isCurrent: boolean;
  /** Whether its reply was copied a moment ago. */
  readonly isCopied: boolean;
  cancel(message: Message): void;
  edit(message: Message): void;
  dismiss(message: Message): void;
  repeat(message: Message): void;
  copy(message: Message): void;
  readonly decide: Decide;
  /** Where pictures and sound of this gateway are read. */
  readonly media: MediaFiles;
}

/** A message and its reply. */
export function renderMessage(message: Message, around: MessageSurroundings): TemplateResult {
  return html`<article class="exchange">
    ${message.content || message.attachments.length > 0 ? renderSaid(message, around) : nothing}${renderReply(message, around)}
  </article>`;
}

/** All that a reply says, as text. */
export function describeReply({ reply }: Message): string {
  return reply.standing
    .filter(({ block_type }) => block_type !== 'tool_call' && block_type !== 'tool_result')
    .map(describeBlock)
    .join('\n\n');
}

function renderSaid(message: Message, around: MessageSurroundings): TemplateResult {
  const { sender, senderName, sentAt, attachments, content, phase } = message;
  const who = sender === around.sender || sender === '' ? texts.message.you : (senderName ?? sender);
  const time = formatTime(sentAt);
  return html`<div class="said" role="group" aria-label=${texts.message.said(who, time)}>
    <div class="bubble">
      ${who === texts.message.you ? nothing : html`<p class="who">${who}</p>`}
      ${content ? html`<chat-long-text .text=${content}></chat-long-text>` : nothing}${renderAttachments(attachments, around.media)}
    </div>
    <p class="aside">
      ${renderFate(message, around)}<time datetime=${new Date(sentAt).toISOString()} title=${formatFully(sentAt)}
        >${time}</time
      >
    </p>
    ${phase === 'refused' ? renderRefusal(message, around) : nothing}
  </div>`;
}

/** Pictures and sound of this gateway are shown, other files counted. */
function renderAttachments(attachments: Message['attachments'], media: MediaFiles): TemplateResult {
  const shown = attachments.map(({ kind, media_id, name }) =>
    media_id !== undefined && (kind === 'image' || kind === 'audio')
      ? renderOwnMedia(media, kind, media_id, name)
      : nothing,
  );
  const others = shown.filter((each) => each === nothing).length;
  return html`${shown}${others === 0 ? nothing : html`<p class="attachments">${texts.message.attachments(others)}</p>`}`;
}

/** What becomes of a message whose reply has not begun. */
function renderFate(message: Message, around: MessageSurroundings): TemplateResult | typeof nothing {
  const told = describeFate(message, around);
  if (told === undefined) return nothing;
  return html`<span role="status">${told}</span>
    <button type="button" class="quiet" ?disabled=${message.isCancelling} @click=${() => around.cancel(message)}>
      ${message.isCancelling ? texts.message.stopping : texts.message.cancel}
    </button>`;
}

function describeFate({ phase, refusal, reply }: Message, around: MessageSurroundings): string | undefined {
  if (phase === 'unsent') {
    if (refusal) return texts.message.holds[refusal.code] ?? refusal.message;
    return around.isConnected ? undefined : texts.message.waitingForConnection;
  }
  return phase === 'open' && !around.isCurrent && !reply.hasBegun ? texts.message.waiting : undefined;
}

function renderRefusal(message: Message, { edit, dismiss }: MessageSurroundings): TemplateResult {
  return html`<div class="trouble" role="alert">
    <p>${texts.message.refused(message.refusal?.message ?? '')}</p>
    <button type="button" class="plain" @click=${() => edit(message)}>${texts.message.edit}</button>
    <button type="button" class="plain" @click=${() => dismiss(message)}>${texts.message.remove}</button>
  </div>`;
}

function renderReply(message: Message, around: MessageSurroundings): TemplateResult | typeof nothing {
  const { reply, phase } = message;
  const isAnswering = phase === 'open' && (around.isCurrent || reply.hasBegun);
  if (!isAnswering && !reply.hasBegun && !reply.end) return nothing;
  return html`<div class="reply" role="group" aria-label=${around.agent}>
    ${renderBlocks(reply, around.media, around.isConnected ? around.decide : undefined)}${isAnswering && !reply.isWaitingForPerson ? renderAnswering(message, around) : nothing}${phase === 'ended' ? renderEnd(message, around) : nothing}
  </div>`;
}

function renderAnswering({ isCancelling }: Message, { agent, isConnected }: MessageSurroundings): TemplateResult {
  return html`<p class="answering">
    <span class="dots ${isConnected ? '' : 'still'}" role="img" aria-label=${texts.message.answering(agent)}
      ><i></i><i></i><i></i
    ></span>
    ${isCancelling ? html`<span class="faint">${texts.message.stopping}</span>` : nothing}
  </p>`;
}

function renderEnd(message: Message, { isCopied, copy, repeat }: MessageSurroundings): TemplateResult {
  const { reason, error } = message.reply.end ?? {};
  const copying = html`<p class="actions">
    <button type="button" class="quiet" @click=${() => copy(message)}>
      ${isCopied ? icons.check : icons.copy}<span aria-live="polite"
        >${isCopied ? texts.message.copied : texts.message.copy}</span
      >
    </button>
  </p>`;
  const note =
    reason === 'cancelled' ? texts.message.cancelled : reason === 'merged' ? texts.message.merged : undefined;
  return html`
    ${note === undefined ? nothing : html`<p class="note">${note}</p>`}
    ${
      reason === 'error'
        ? html`<div class="trouble">
            <p>${error ? `${error.message} (${error.code})` : texts.message.failed}</p>
            <button type="button" class="plain" @click=${() => repeat(message)}>
              ${icons.retry}${texts.message.tryAgain}
            </button>
          </div>`
        : nothing
    }
    ${message.reply.standing.length > 0 ? copying : nothing}
  `;
}

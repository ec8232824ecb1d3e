import { html, nothing, type TemplateResult } from 'lit';
import type { ReplyState, TranscriptMessage } from '../../client/index.js';
import { renderBlocks, renderOwnMedia } from '../blocks/blocks.js';
import type { Writing } from '../compose/writing.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import { formatFully, formatTime } from '../times.js';
import type { ReplyCopier } from './reply-copier.js';

/** A conversation on the page, and the objects that its buttons act on. */
export interface Thread {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly writing: Writing;
  readonly copier: ReplyCopier;
}

/** Renders a message and its reply. */
export function renderMessage(message: TranscriptMessage, thread: Thread): TemplateResult {
  return html`<article class="exchange">
    ${message.content || message.attachments.length > 0 ? renderSaid(message, thread) : nothing}${renderReply(message, thread)}
  </article>`;
}

function renderSaid(message: TranscriptMessage, thread: Thread): TemplateResult {
  const { sender, senderName, sentAt, attachments, content, phase } = message;
  const who = sender === thread.conversation.sender || sender === '' ? texts.message.you : (senderName ?? sender);
  const time = formatTime(sentAt);
  return html`<div class="said" role="group" aria-label=${texts.message.said(who, time)}>
    <div class="bubble">
      ${who === texts.message.you ? nothing : html`<p class="who">${who}</p>`}
      ${content ? html`<chat-long-text .text=${content}></chat-long-text>` : nothing}${renderAttachments(attachments, thread.chat.media)}
    </div>
    <p class="aside">
      ${renderFate(message, thread)}<time datetime=${new Date(sentAt).toISOString()} title=${formatFully(sentAt)}
        >${time}</time
      >
    </p>
    ${phase === 'refused' ? renderRefusal(message, thread) : nothing}
  </div>`;
}

/** Renders pictures and sounds stored by this gateway, and the number of other files. */
function renderAttachments(attachments: TranscriptMessage['attachments'], media: MediaFiles): TemplateResult {
  const shown = attachments.map(({ kind, media_id, name }) =>
    media_id !== undefined && (kind === 'image' || kind === 'audio')
      ? renderOwnMedia(media, kind, media_id, name)
      : nothing,
  );
  const others = shown.filter((each) => each === nothing).length;
  return html`${shown}${others === 0 ? nothing : html`<p class="attachments">${texts.message.attachments(others)}</p>`}`;
}

/** Renders the state of a message whose reply has not started. */
function renderFate(message: TranscriptMessage, thread: Thread): TemplateResult | typeof nothing {
  const fate = describeFate(message, thread);
  if (fate === undefined) return nothing;
  const { chat, conversation } = thread;
  const isCancelling = conversation.isCancelling(message);
  return html`<span role="status">${fate}</span>
    <button type="button" class="quiet" ?disabled=${isCancelling} @click=${() => chat.cancel(message)}>
      ${isCancelling ? texts.message.stopping : texts.message.cancel}
    </button>`;
}

function describeFate(message: TranscriptMessage, { chat, conversation }: Thread): string | undefined {
  const { phase, refusal, reply } = message;
  if (phase === 'unsent') {
    if (refusal) return texts.message.holds[refusal.code] ?? refusal.message;
    return chat.isConnected ? undefined : texts.message.waitingForConnection;
  }
  const isWaiting = phase === 'open' && message !== conversation.transcript.current && !hasBegun(reply);
  return isWaiting ? texts.message.waiting : undefined;
}

function renderRefusal(message: TranscriptMessage, { chat, writing }: Thread): TemplateResult {
  return html`<div class="trouble" role="alert">
    <p>${texts.message.refused(message.refusal?.message ?? '')}</p>
    <button type="button" class="plain" @click=${() => writing.edit(message)}>${texts.message.edit}</button>
    <button type="button" class="plain" @click=${() => chat.dismiss(message)}>${texts.message.remove}</button>
  </div>`;
}

function renderReply(message: TranscriptMessage, thread: Thread): TemplateResult | typeof nothing {
  const { reply, phase } = message;
  const { chat, conversation } = thread;
  const begun = hasBegun(reply);
  const isAnswering = phase === 'open' && (message === conversation.transcript.current || begun);
  if (!isAnswering && !begun && !reply.end) return nothing;
  const decide = chat.isConnected ? chat.decide.bind(chat) : undefined;
  return html`<div class="reply" role="group" aria-label=${chat.link.agentName}>
    ${renderBlocks(reply, chat.media, decide)}${isAnswering && !isWaitingForPerson(reply) ? renderAnswering(message, thread) : nothing}${phase === 'ended' ? renderEnd(message, thread) : nothing}
  </div>`;
}

function hasBegun({ standing, growing, tools }: ReplyState): boolean {
  return standing.length > 0 || growing.length > 0 || tools.size > 0;
}

/** Returns true when a tool call waits for approval. */
function isWaitingForPerson({ tools }: ReplyState): boolean {
  return [...tools.values()].some(({ status }) => status === 'awaiting_approval');
}

function renderAnswering(message: TranscriptMessage, { chat, conversation }: Thread): TemplateResult {
  return html`<p class="answering">
    <span
      class="dots ${chat.isConnected ? '' : 'still'}"
      role="img"
      aria-label=${texts.message.answering(chat.link.agentName)}
      ><i></i><i></i><i></i
    ></span>
    ${conversation.isCancelling(message) ? html`<span class="faint">${texts.message.stopping}</span>` : nothing}
  </p>`;
}

function renderEnd(message: TranscriptMessage, { writing, copier }: Thread): TemplateResult {
  const { reason, error } = message.reply.end ?? {};
  const isCopied = copier.hasCopied(message);
  const copying = html`<p class="actions">
    <button type="button" class="quiet" @click=${() => void copier.copy(message)}>
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
            <button
              type="button"
              class="plain"
              @click=${() => writing.send(message.content ?? '', message.attachments)}
            >
              ${icons.retry}${texts.message.tryAgain}
            </button>
          </div>`
        : nothing
    }
    ${message.reply.standing.length > 0 ? copying : nothing}
  `;
}

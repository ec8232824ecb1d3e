import { html, nothing, type TemplateResult } from 'lit';
import type { TranscriptMessage } from '../../client/index.js';
import { renderBlocks, renderOwnMedia } from '../blocks/blocks.js';
import type { Writing } from '../compose/writing.js';
import { copyRich } from '../design/clipboard.js';
import { icons } from '../design/icons.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import { formatExactly, formatFully, formatTime } from '../times.js';
import { renderAnswerAgain, renderEdit } from './again.js';
import { nameAuthor } from './author.js';
import { renderFailure } from './failure.js';
import { renderFate } from './fate.js';
import { hasBegun, isWaitingForPerson } from './reply-progress.js';
import { writeReply } from './written.js';

/** A conversation on the page, and the objects that its buttons act on. */
export interface Thread {
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly writing: Writing;
}

/** Renders a message and its reply. */
export function renderMessage(message: TranscriptMessage, thread: Thread): TemplateResult {
  return html`<article class="exchange" data-ref=${message.ref ?? nothing} tabindex="-1">
    ${message.content || message.attachments.length > 0 ? renderSaid(message, thread) : nothing}${renderReply(message, thread)}
  </article>`;
}

function renderSaid(message: TranscriptMessage, thread: Thread): TemplateResult {
  const { sentAt, attachments, content, phase } = message;
  const other = nameAuthor(message, thread.conversation, thread.chat.link.identity?.principal);
  const who = other ?? texts.message.you;
  const time = formatTime(sentAt);
  return html`<div class="said" role="group" aria-label=${texts.message.said(who, time)}>
    <div class="bubble">
      ${other === undefined ? nothing : html`<p class="who" dir="auto">${other}</p>`}
      ${message.canvas ? html`<span class="pressed" role="img" aria-label=${texts.canvas.pressed}>${icons.canvas}</span>` : nothing}
      ${content ? html`<chat-long-text .text=${content}></chat-long-text>` : nothing}${renderAttachments(attachments, thread.chat.media)}
    </div>
    <p class="aside">
      ${renderEdit(message, thread)}${renderFate(message, thread)}<time
        datetime=${new Date(sentAt).toISOString()}
        title=${formatFully(sentAt)}
        >${time}</time
      >
    </p>
    ${phase === 'refused' ? renderRefusal(message, thread) : nothing}
  </div>`;
}

/** Renders the files of a message that this gateway stores, and the number of others. */
function renderAttachments(attachments: TranscriptMessage['attachments'], media: MediaFiles): TemplateResult {
  const shown = attachments.map(({ kind, media_id, name, size_bytes }) => {
    if (media_id === undefined) return nothing;
    if (kind === 'image' || kind === 'audio') return renderOwnMedia(media, kind, media_id, name);
    return html`<chat-file
      .files=${media}
      .mediaId=${media_id}
      .name=${name ?? ''}
      .size=${size_bytes ?? 0}
    ></chat-file>`;
  });
  const others = shown.filter((each) => each === nothing).length;
  return html`${shown}${others === 0 ? nothing : html`<p class="attachments">${texts.message.attachments(others)}</p>`}`;
}

function renderRefusal(message: TranscriptMessage, { chat, writing }: Thread): TemplateResult {
  return html`<div class="trouble" role="alert">
    <p class="state bad">${icons.failed}${texts.message.refused(message.refusal?.message ?? '')}</p>
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
  const decideHere = chat.isConnected ? chat.decide.bind(chat, message) : undefined;
  const decide = chat.decidesApprovals ? decideHere : { signIn: () => chat.link.askForToken(texts.signIn.local) };
  return html`<div class="reply" role="group" aria-label=${chat.link.agentName}>
    ${renderBlocks(reply, chat.media, { decide, hasDenied: (callId, by) => chat.hasDenied(message, callId, by) })}${isAnswering && !isWaitingForPerson(reply) ? renderAnswering(message, thread) : nothing}${phase === 'ended' ? renderEnd(message, thread) : nothing}
  </div>`;
}

/** Renders that the reply goes on; without a connection only that it went on until then. */
function renderAnswering(message: TranscriptMessage, { chat, conversation }: Thread): TemplateResult {
  const { agentName, troubleSince } = chat.link;
  if (!chat.isConnected) {
    const since = formatExactly(troubleSince ?? Date.now());
    return html`<p class="answering state warn" role="status">${icons.stale}${texts.message.stale(since)}</p>`;
  }
  if (message.reply.stale.length > 0) {
    return html`<p class="answering state warn" role="status">${icons.stale}${texts.message.incomplete}</p>`;
  }
  const isCancelling = conversation.isCancelling(message);
  return html`<p class="answering state info">
    <span class="dots" role="img" aria-label=${texts.message.answering(agentName)}><i></i><i></i><i></i></span>
    <span aria-hidden="true">${isCancelling ? texts.message.stopping : texts.message.working}</span>
  </p>`;
}

function renderEnd(message: TranscriptMessage, thread: Thread): TemplateResult {
  const { reason } = message.reply.end ?? {};
  const copying = html`<p class="actions">
    <chat-copy .label=${texts.message.copy} .copy=${() => copyReply(message)}></chat-copy>
    ${reason === 'error' ? nothing : renderAnswerAgain(message, thread)}
  </p>`;
  const note =
    reason === 'cancelled' ? texts.message.cancelled : reason === 'merged' ? texts.message.merged : undefined;
  return html`
    ${note === undefined ? nothing : html`<p class="note state">${reason === 'cancelled' ? icons.stopped : nothing}${note}</p>`}
    ${reason === 'error' ? renderFailure(message, thread) : nothing}
    ${message.reply.standing.length > 0 ? copying : nothing}
  `;
}

/** Copies a reply as Markdown and as HTML. Resolves with false when the browser does not allow it. */
async function copyReply({ reply }: TranscriptMessage): Promise<boolean> {
  const written = writeReply(reply);
  const { writeHtml } = await import('../blocks/written-html.js');
  return copyRich(written, writeHtml(written));
}

import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import '../../blocks/media.js';
import '../../blocks/parts.js';
import { readText, renderFold } from '../../blocks/fold.js';
import { readCallId, renderCall } from '../../blocks/tools.js';
import type { StreamBlock } from '../../../client/index.js';
import { icons } from '../../design/icons.js';
import { readMediaId, type MediaFiles } from '../../model/media-files.js';
import { texts } from '../../texts.js';
import type { HistoryItem } from './history-item.js';
import { renderCode, renderMarkdown } from './markdown.js';
import { renderText } from './parts.js';
import { sessionTexts } from './sessions.texts.js';

/** Pictures and sounds whose data is in the block itself. */
const INLINE_MEDIA = { image: /^data:image\//i, audio: /^data:audio\//i };

/** Tool calls are not decided on in a conversation: approvals have a page of their own. */
const NOBODY = { hasDenied: () => false };

/** Renders a message and its reply as the person saw them. */
export function renderSaid(item: HistoryItem, files: MediaFiles): TemplateResult {
  const { content, sender, sender_name: name, attachments = [] } = item;
  return html`<div class="said">
    <p class="faint">${renderText(name ?? sender)}</p>
    <div class="bubble" dir="auto">
      ${content === '' ? nothing : html`<p class="text"><chat-parts .text=${toVisibleText(content)}></chat-parts></p>`}
      ${attachments.map((attachment) => renderAttachment(attachment, files))}
    </div>
    ${renderReply(item, files)}
  </div>`;
}

function renderReply({ blocks, end, status }: HistoryItem, files: MediaFiles): TemplateResult {
  const calls = new Set(blocks.filter(isCall).map(readCallId));
  const results = new Map(
    blocks.filter(({ block_type: type }) => type === 'tool_result').map((block) => [readCallId(block), block]),
  );
  const shown = blocks.filter((block) => block.block_type !== 'tool_result' || !calls.has(readCallId(block)));
  const isOver = end !== undefined || status !== 'running';
  return html`<div class="reply blocks">
    ${repeat(
      shown,
      ({ block_id: id }) => id,
      (block) =>
        isCall(block)
          ? renderCall(block, results.get(readCallId(block)), undefined, isOver, NOBODY)
          : renderBlock(block, files, !isOver),
    )}
    ${end?.message === undefined ? nothing : html`<p class="state bad">${icons.failed}<span dir="auto">${toVisibleText(end.message)}</span></p>`}
    ${shown.length === 0 && end?.reason === 'stop' ? html`<p class="faint">${sessionTexts.noReply}</p>` : nothing}
  </div>`;
}

function isCall({ block_type: type }: StreamBlock): boolean {
  return type === 'tool_call';
}

/** @param growing true while more text may arrive */
function renderBlock(
  { block_type: type, content, metadata }: StreamBlock,
  files: MediaFiles,
  growing: boolean,
): TemplateResult {
  const text = toVisibleText(content);
  switch (type) {
    case 'markdown':
      return renderMarkdown(text, growing);
    case 'code':
      return renderCode(text, readText(metadata?.['language']) ?? '', growing);
    case 'canvas':
      return renderCode(text, 'json', growing);
    case 'image':
    case 'audio':
      return renderMedia(type, content, readText(metadata?.['alt']), files);
    case 'tool_result':
      return renderFold(html`${icons.tool}<span>${texts.block.result}</span>`, [[undefined, text]]);
    default:
      return html`<p class="block text" dir="auto"><chat-parts .text=${text}></chat-parts></p>`;
  }
}

function renderMedia(
  kind: 'image' | 'audio',
  source: string,
  alt: string | undefined,
  files: MediaFiles,
): TemplateResult {
  const label = toVisibleText(alt ?? texts.block[kind === 'image' ? 'picture' : 'sound']);
  const mediaId = readMediaId(source);
  if (mediaId === undefined && INLINE_MEDIA[kind].test(source)) return renderInline(kind, source, label);
  if (mediaId === undefined) return html`<p class="block status">${icons.file} <bdi>${label}</bdi></p>`;
  return html`<chat-media
    class="block media"
    .files=${files}
    .source=${mediaId}
    .kind=${kind}
    .label=${label}
  ></chat-media>`;
}

function renderInline(kind: 'image' | 'audio', source: string, label: string): TemplateResult {
  return html`<figure class="block media">
    ${
      kind === 'image'
        ? html`<img src=${source} alt=${label} />`
        : html`<audio controls preload="metadata" src=${source} aria-label=${label}></audio>`
    }
  </figure>`;
}

function renderAttachment({ kind, media_id: id, name }: HistoryAttachment, files: MediaFiles): TemplateResult {
  const label = toVisibleText(name ?? kind);
  if (id === undefined || (kind !== 'image' && kind !== 'audio'))
    return html`<p class="attachment">${icons.file}<bdi>${label}</bdi></p>`;
  return html`<chat-media class="media" .files=${files} .source=${id} .kind=${kind} .label=${label}></chat-media>`;
}

type HistoryAttachment = NonNullable<HistoryItem['attachments']>[number];

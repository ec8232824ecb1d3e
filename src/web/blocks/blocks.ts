import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { ref } from 'lit/directives/ref.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ReplyState, StreamBlock } from '../../client/index.js';
import { icons } from '../design/icons.js';
import { lazyPart } from '../design/lazy-part.js';
import { tabStop } from '../design/tab-stop.js';
import { readMediaId, type MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';
import { readSurface } from '../model/surfaces.js';
import { readJson, readText, renderFold } from './fold.js';
import { findOutcome, readCallId, renderCall, renderStatus, summariseCalls, type Decider } from './tools.js';

/** An empty conversation needs nothing of what reads Markdown. */
const loadMarkdown = lazyPart(() => import('./markdown.js'));

/** A run of more finished tool calls folds. */
const MAX_SHOWN_CALLS = 3;

/** Entries of a section. A full section is neither rendered nor, out of sight, laid out while later blocks grow. */
const SECTION_SIZE = 50;

/** A block, or several that fold together. */
type Entry = readonly [StreamBlock, ...StreamBlock[]];

/** Pictures and sounds whose data is in the block itself. */
const INLINE_MEDIA = { image: /^data:image\//i, audio: /^data:audio\//i };

/** Renders a reply's blocks in order, each tool call together with its result. */
export function renderBlocks(reply: ReplyState, files: MediaFiles, decider: Decider): TemplateResult {
  const unfinished = [...reply.stale, ...reply.growing];
  const blocks = [...listStanding(reply), ...unfinished];
  const growing = new Set(unfinished);
  const ofType = (type: string) => blocks.filter(({ block_type }) => block_type === type);
  const calls = new Set(ofType('tool_call').map(readCallId));
  const results = new Map(ofType('tool_result').map((block) => [readCallId(block), block]));
  /** Returns what a block is rendered from. */
  const read = (block: StreamBlock): unknown[] => {
    if (block.block_type !== 'tool_call') return [block];
    const callId = readCallId(block);
    return [block, results.get(callId), reply.tools.get(callId), reply.end !== undefined, typeof decider.decide];
  };
  const render = (block: StreamBlock) =>
    guard(read(block), () => {
      if (block.block_type !== 'tool_call') return renderBlock(block, files, growing.has(block));
      const callId = readCallId(block);
      return renderCall(block, results.get(callId), reply.tools.get(callId), reply.end !== undefined, decider);
    });
  const shown = blocks.filter((block) => block.block_type !== 'tool_result' || !calls.has(readCallId(block)));
  const isDone = (block: StreamBlock) => block.block_type === 'tool_call' && results.has(readCallId(block));
  const renderEntry = (entry: Entry) => {
    if (entry.length <= MAX_SHOWN_CALLS) return entry.map(render);
    const outcomes = entry.map(
      (block) => findOutcome(results.get(readCallId(block)), undefined) ?? { status: 'unknown' },
    );
    return html`<details class="block tools">
      <summary>${icons.chevron}${icons.tool}<span>${summariseCalls(outcomes)}</span></summary>
      ${entry.map(render)}
    </details>`;
  };
  const rendered = renderSections(groupRuns(shown, isDone), read, renderEntry);
  const unshown = reply.end ? [] : [...reply.tools.values()].filter(({ call_id }) => !calls.has(call_id));
  return html`${rendered}${unshown.map((status) => renderStatus(status, decider))}`;
}

/** Renders entries in sections, each again only when what `read` returns for one of its blocks has changed. */
function renderSections(
  entries: readonly Entry[],
  read: (block: StreamBlock) => readonly unknown[],
  render: (entry: Entry) => unknown,
): unknown {
  const count = Math.ceil(entries.length / SECTION_SIZE);
  const sections = Array.from({ length: count }, (_, i) => entries.slice(i * SECTION_SIZE, (i + 1) * SECTION_SIZE));
  return repeat(
    sections,
    ([first]) => first?.[0].block_id,
    (section) =>
      guard(section.flat().flatMap(read), () => {
        const look = section.length === SECTION_SIZE ? 'blocks full' : 'blocks';
        return html`<div class=${look}>${repeat(section, ([{ block_id }]) => block_id, render)}</div>`;
      }),
  );
}

/**
 * Groups each run of more than {@link MAX_SHOWN_CALLS} blocks of which `belongs` is true; every other block is a group of
 * its own.
 */
function groupRuns(blocks: readonly StreamBlock[], belongs: (block: StreamBlock) => boolean): readonly Entry[] {
  const runs: [StreamBlock, ...StreamBlock[]][] = [];
  let last: [StreamBlock, ...StreamBlock[]] | undefined;
  for (const block of blocks) {
    if (last && belongs(block)) last.push(block);
    else runs.push((last = [block]));
    if (!belongs(block)) last = undefined;
  }
  return runs.flatMap((run) => (run.length > MAX_SHOWN_CALLS ? [run] : run.map((block): [StreamBlock] => [block])));
}

/** Describes a block as text, for copying or reading aloud. */
export function describeBlock({ block_type, content, metadata }: StreamBlock): string {
  if (block_type === 'image') return readText(metadata?.['alt']) ?? texts.block.picture;
  if (block_type === 'audio') return readText(metadata?.['alt']) ?? texts.block.sound;
  if (block_type === 'canvas') return readText(metadata?.['alt']) ?? texts.block.canvas;
  if (block_type === 'tool_call') return readText(readJson(content)['tool']) ?? '';
  return block_type === 'tool_result' ? texts.block.result : content;
}

/** Lists the complete blocks, without a last one that only repeats the error shown at the end of the reply. */
function listStanding({ standing, end }: ReplyState): readonly StreamBlock[] {
  const blocks = standing.map(({ block }) => block);
  const last = blocks[blocks.length - 1];
  return last?.block_type === 'status' && last.content === end?.error?.message ? blocks.slice(0, -1) : blocks;
}

/** Renders any block except a tool call. */
function renderBlock(block: StreamBlock, files: MediaFiles, growing: boolean): TemplateResult {
  const { block_type, content, metadata } = block;
  switch (block_type) {
    case 'markdown':
      loadMarkdown();
      return html`<chat-markdown class="block prose" .text=${content} .growing=${growing}></chat-markdown>`;
    case 'code':
      if (!growing && metadata?.['language'] === 'mermaid')
        return html`<chat-diagram class="block" .code=${content}></chat-diagram>`;
      return html`<chat-code
        class="block"
        .code=${content}
        .language=${readText(metadata?.['language']) ?? ''}
        .growing=${growing}
      ></chat-code>`;
    case 'status':
      return renderNote(content);
    case 'image':
    case 'audio':
      return renderMedia(block_type, content, files, readText(metadata?.['alt']));
    case 'canvas':
      return renderCanvas(block);
    case 'tool_result':
      return renderFold(html`${icons.tool}<span>${texts.block.result}</span>`, [[undefined, content]]);
    default:
      return html`<p class="block text" dir="auto"><chat-parts .text=${content}></chat-parts></p>`;
  }
}

/** Renders where a surface was drawn. A block that is not one of the gateway is shown as its text. */
function renderCanvas(block: StreamBlock): TemplateResult {
  const surface = readSurface(block);
  const title = readText(readJson(block.content)['title']) ?? texts.block.canvas;
  if (!surface) return renderFold(html`${icons.canvas}<span>${title}</span>`, [[undefined, block.content]]);
  if (surface.closed) return renderNote(texts.canvas.wasClosed(title));
  const open = ({ currentTarget }: Event) =>
    currentTarget?.dispatchEvent(new CustomEvent('open-surface', { detail: surface.surface_id, bubbles: true }));
  return html`<button type="button" class="block plain surface" @click=${open}>
    ${icons.canvas}<span dir="auto">${title}</span><span class="faint">${texts.canvas.open}</span>
  </button>`;
}

/** Renders a status: one line as a note, several as preformatted text with aligned columns. */
function renderNote(content: string): TemplateResult {
  if (!content.includes('\n')) return html`<p class="block status" dir="auto">${content}</p>`;
  return html`<p ${ref(tabStop)} class="block status sheet" dir="auto">${content}</p>`;
}

/** Renders a picture or sound that this gateway stores. */
export function renderOwnMedia(
  files: MediaFiles,
  kind: 'image' | 'audio',
  mediaId: string,
  name: string | undefined,
): TemplateResult {
  return html`<chat-media
    class="media"
    .files=${files}
    .source=${mediaId}
    kind=${kind}
    label=${name ?? nameOf(kind)}
  ></chat-media>`;
}

function renderMedia(
  kind: 'image' | 'audio',
  source: string,
  files: MediaFiles,
  alt: string | undefined,
): TemplateResult {
  const label = alt ?? nameOf(kind);
  const mediaId = readMediaId(source);
  if (mediaId === undefined && !INLINE_MEDIA[kind].test(source))
    return html`<p class="block status">${texts.block.noMedia(label)}</p>`;
  const media = mediaId === undefined ? renderInline(kind, source, label) : renderOwnMedia(files, kind, mediaId, alt);
  return html`<figure class="block media">
    ${media}${alt === undefined ? nothing : html`<figcaption dir="auto">${alt}</figcaption>`}
  </figure>`;
}

function renderInline(kind: 'image' | 'audio', source: string, label: string): TemplateResult {
  return kind === 'image'
    ? html`<img src=${source} alt=${label} />`
    : html`<audio controls preload="metadata" src=${source} aria-label=${label}></audio>`;
}

function nameOf(kind: 'image' | 'audio'): string {
  return texts.block[kind === 'image' ? 'picture' : 'sound'];
}

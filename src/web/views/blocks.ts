import { html, nothing, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { StreamBlock } from '../../client/index.js';
import type { ReplyState, ToolStatus } from '../reply-state.js';
import { texts } from '../texts.js';
import { icons } from './icons.js';

/** Pictures and sound that load nothing from elsewhere: they are in the block, or are media of this gateway. */
const OWN_MEDIA = { image: /^(?:data:image\/|\/media\/[\w-]+$)/i, audio: /^(?:data:audio\/|\/media\/[\w-]+$)/i };

/** A reply's blocks in their order; a tool's call and its result are one. */
export function renderBlocks(reply: ReplyState): TemplateResult {
  const blocks = [...listStanding(reply), ...reply.growing];
  const growing = new Set(reply.growing);
  const results = new Map<unknown, StreamBlock>();
  const calls = new Set<unknown>();
  for (const block of blocks) {
    if (block.block_type === 'tool_result') results.set(readCallId(block), block);
    if (block.block_type === 'tool_call') calls.add(readCallId(block));
  }
  const rendered = repeat(
    blocks.filter((block) => block.block_type !== 'tool_result' || !calls.has(readCallId(block))),
    ({ block_id }) => block_id,
    (block) => {
      const callId = block.block_type === 'tool_call' ? readCallId(block) : undefined;
      const result = callId === undefined ? undefined : results.get(callId);
      const status = reply.tools.get(String(callId));
      return guard([block, result, status], () => renderBlock(block, growing.has(block), { result, status }));
    },
  );
  const unshown = reply.end ? [] : [...reply.tools.values()].filter(({ call_id }) => !calls.has(call_id));
  return html`${rendered}${unshown.map((status) => renderTool(status.tool, status, [], false))}`;
}

/** A failure is told at the end of the reply: a last block that says just the same is left out. */
function listStanding({ standing, end }: ReplyState): readonly StreamBlock[] {
  const last = standing.at(-1);
  return last?.block_type === 'status' && last.content === end?.error?.message ? standing.slice(0, -1) : standing;
}

/** What a block says, as text: to be copied, or read out. */
export function describeBlock({ block_type, content, metadata }: StreamBlock): string {
  if (block_type === 'image') return readText(metadata?.['alt']) ?? texts.block.picture;
  if (block_type === 'audio') return readText(metadata?.['alt']) ?? texts.block.sound;
  if (block_type === 'canvas') return texts.block.canvas;
  if (block_type === 'tool_call') return readText(readJson(content)['tool']) ?? '';
  return block_type === 'tool_result' ? texts.block.result : content;
}

function renderBlock(
  block: StreamBlock,
  growing: boolean,
  tool: { readonly result: StreamBlock | undefined; readonly status: ToolStatus | undefined },
): TemplateResult {
  const { block_type, content, metadata } = block;
  switch (block_type) {
    case 'markdown':
      return html`<chat-markdown class="block prose" .text=${content} .growing=${growing}></chat-markdown>`;
    case 'code':
      return html`<chat-code class="block" .code=${content} .language=${readText(metadata?.['language']) ?? ''} .growing=${growing}></chat-code>`;
    case 'status':
      return html`<p class="block status ${content.includes('\n') ? 'sheet' : ''}" dir="auto" tabindex=${content.includes('\n') ? 0 : nothing}>${content}</p>`;
    case 'image':
    case 'audio':
      return renderMedia(block_type, content, readText(metadata?.['alt']));
    case 'canvas':
      return renderFold(html`${icons.canvas}<span>${readText(readJson(content)['title']) ?? texts.block.canvas}</span>`, [[undefined, content]]);
    case 'tool_call':
      return renderCall(block, tool.result, tool.status);
    case 'tool_result':
      return renderFold(html`${icons.tool}<span>${texts.block.result}</span>`, [[undefined, content]]);
    default:
      return html`<p class="block text" dir="auto">${content}</p>`;
  }
}

function renderMedia(kind: 'image' | 'audio', source: string, alt: string | undefined): TemplateResult {
  const label = alt ?? texts.block[kind === 'image' ? 'picture' : 'sound'];
  if (!OWN_MEDIA[kind].test(source)) return html`<p class="block status">${label}. ${texts.block.noMedia(label.toLowerCase())}</p>`;
  const media =
    kind === 'image' ? html`<img src=${source} alt=${label} />` : html`<audio controls preload="metadata" src=${source} aria-label=${label}></audio>`;
  return html`<figure class="block media">${media}${alt === undefined ? nothing : html`<figcaption dir="auto">${alt}</figcaption>`}</figure>`;
}

function renderCall(call: StreamBlock, result: StreamBlock | undefined, status: ToolStatus | undefined): TemplateResult {
  const { tool, parameters } = readJson(call.content);
  const outcome = result && readJson(result.content);
  const parts: Part[] = [[texts.block.parameters, JSON.stringify(parameters ?? {})]];
  if (outcome) parts.push([texts.block.result, typeof outcome['content'] === 'string' ? outcome['content'] : JSON.stringify(outcome['content'])]);
  // After a reload only the blocks tell what became of the call.
  const told = outcome && { status: outcome['ok'] === true ? 'succeeded' : 'failed' };
  return renderTool(readText(tool) ?? '', status ?? told, parts, outcome?.['ok'] === false);
}

type Part = readonly [label: string | undefined, content: string];

function renderTool(
  tool: string,
  status: Partial<Pick<ToolStatus, 'detail' | 'duration_ms'>> & { readonly status: string } | undefined,
  parts: readonly Part[],
  isFailure: boolean,
): TemplateResult {
  const name = status?.status ?? 'running';
  const seconds = status?.duration_ms === undefined ? undefined : (status.duration_ms / 1_000).toFixed(1);
  const summary = html`${icons.tool}<code>${tool}</code>
    <span class="outcome ${isFailure ? 'bad' : ''}">
      ${texts.tool.status[name] ?? name}${seconds === undefined ? nothing : ` · ${texts.tool.duration(seconds)}`}${status?.detail ? ` · ${status.detail}` : nothing}
    </span>`;
  return parts.length === 0 ? html`<p class="block tool">${summary}</p>` : renderFold(summary, parts);
}

function renderFold(summary: TemplateResult, parts: readonly Part[]): TemplateResult {
  return html`<details class="block fold">
    <summary>${icons.chevron}${summary}</summary>
    ${parts.map(
      ([label, content]) => html`${label === undefined ? nothing : html`<h4>${label}</h4>`}
        <pre tabindex="0" dir="ltr">${indent(content)}</pre>`,
    )}
  </details>`;
}

function readCallId(block: StreamBlock): unknown {
  return readJson(block.content)['call_id'];
}

/** JSON on several lines, for people; anything else as it is. */
function indent(content: string): string {
  try {
    return JSON.stringify(JSON.parse(content), undefined, 2);
  } catch {
    return content;
  }
}

function readJson(content: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

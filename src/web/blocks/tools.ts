import { html, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import type { StreamBlock, ToolStatusPayload } from '../../client/index.js';
import { icons } from '../design/icons.js';
import { texts } from '../texts.js';
import { formatTime } from '../times.js';
import { readJson, readText, renderFold, type Part } from './fold.js';

/** Decides on a tool call that waits for approval; undefined without a connection. */
export type Decide = (status: ToolStatusPayload, decision: 'allow' | 'deny') => void;

/** A call that waits for approval. */
type WaitingCall = ToolStatusPayload & { readonly approval: NonNullable<ToolStatusPayload['approval']> };

/** The outcome of a call, or its state until then. */
type Outcome = Partial<Pick<ToolStatusPayload, 'detail' | 'duration_ms'>> & { readonly status: string };

/** The icon and colour of each status. A denied call is no fault: a person or a permission held it back. */
const LOOKS: Readonly<Record<string, readonly [DirectiveResult, string]>> = {
  succeeded: [icons.done, 'good'],
  failed: [icons.failed, 'bad'],
  timed_out: [icons.failed, 'bad'],
  unknown: [icons.unknown, 'warn'],
  denied: [icons.denied, 'held'],
  awaiting_approval: [icons.asks, 'held'],
};
const RUNNING = [icons.working, 'info'] as const;

/** Returns the outcome that the content of a `tool_result` block states. */
export function readOutcome({ ok, content }: Readonly<Record<string, unknown>>): Outcome {
  if (ok === true) return { status: 'succeeded' };
  const { code, message } =
    typeof content === 'object' && content !== null ? { ...content } : ({} as Record<string, unknown>);
  const status = code === 'TOOL_DENIED' ? 'denied' : code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
  const detail = readText(message);
  return { status, ...(detail !== undefined && { detail }) };
}

/** Returns the call id of a `tool_call` or `tool_result` block. */
export function readCallId({ content }: StreamBlock): string {
  return readText(readJson(content)['call_id']) ?? '';
}

/** Renders a call, with its result when there is one. */
export function renderCall(
  call: StreamBlock,
  result: StreamBlock | undefined,
  status: ToolStatusPayload | undefined,
  decide?: Decide,
): TemplateResult {
  if (isWaiting(status) && !result) return renderApproval(status, decide);
  const { tool, parameters } = readJson(call.content);
  const outcome = result && readJson(result.content);
  const parts: Part[] = [[texts.block.parameters, JSON.stringify(parameters ?? {})]];
  if (outcome)
    parts.push([
      texts.block.result,
      typeof outcome['content'] === 'string' ? outcome['content'] : JSON.stringify(outcome['content']),
    ]);
  // After a reload the outcome of a finished call is known only from the blocks.
  const known = outcome && readOutcome(outcome);
  return renderFold(renderSummary(readText(tool) ?? '', status ?? known), parts);
}

/** Renders a call of which only the status is known so far. */
export function renderStatus(status: ToolStatusPayload, decide?: Decide): TemplateResult {
  return isWaiting(status)
    ? renderApproval(status, decide)
    : html`<p class="block tool">${renderSummary(status.tool, status)}</p>`;
}

function renderSummary(tool: string, status: Outcome | undefined): TemplateResult {
  const name = status?.status ?? 'running';
  const seconds =
    status?.duration_ms === undefined ? undefined : texts.tool.duration((status.duration_ms / 1_000).toFixed(1));
  const outcome = [texts.tool.status[name] ?? name, seconds, status?.detail]
    .filter((part) => part !== undefined)
    .join(' · ');
  const [icon, tone] = LOOKS[name] ?? RUNNING;
  return html`<code>${tool}</code><span class="outcome state ${tone}">${icon}${outcome}</span>`;
}

function isWaiting(status: ToolStatusPayload | undefined): status is WaitingCall {
  return status?.status === 'awaiting_approval' && status.approval !== undefined;
}

/** Renders a call that waits for approval, with all its arguments. */
function renderApproval(status: WaitingCall, decide?: Decide): TemplateResult {
  const { tool, approval } = status;
  return html`<div class="block approval" role="group" aria-label=${`${tool} ${texts.tool.wantsToRun}`}>
    <p class="state held">
      ${icons.asks}<span><code>${tool}</code> ${texts.tool.wantsToRun}</span>
    </p>
    <pre tabindex="0" dir="ltr">${JSON.stringify(approval.arguments, undefined, 2)}</pre>
    <p>
      <button type="button" class="main" ?disabled=${!decide} @click=${() => decide?.(status, 'allow')}>
        ${texts.tool.allow}
      </button>
      <button type="button" class="plain" ?disabled=${!decide} @click=${() => decide?.(status, 'deny')}>
        ${texts.tool.deny}
      </button>
      <span class="faint">${texts.tool.until(formatTime(approval.expires_at))}</span>
    </p>
  </div>`;
}

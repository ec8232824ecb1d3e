import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import type { StreamBlock, ToolStatusPayload } from '../../client/index.js';
import { toVisibleText } from '../../protocol/visible-text.js';
import { icons } from '../design/icons.js';
import type { Look } from '../design/look.js';
import { tabStop } from '../design/tab-stop.js';
import { texts } from '../texts.js';
import { readJson, readText, renderFold, type Part } from './fold.js';

/**
 * Decides on a tool call that waits for approval, or prompts for the token with which this page may; undefined without a
 * connection.
 */
export type Decide =
  | ((status: ToolStatusPayload, decision: 'allow' | 'deny') => void)
  | { readonly signIn: () => void };

/** The person before the page, as far as tool calls are concerned. */
export interface Decider {
  readonly decide?: Decide | undefined;
  /** Returns true for a call that this tab has denied, if `decidedBy` names the person. */
  hasDenied(callId: string, decidedBy: string): boolean;
}

/** A call that waits for approval. */
type WaitingCall = ToolStatusPayload & { readonly approval: NonNullable<ToolStatusPayload['approval']> };

/** The outcome of a call, or its state until then. */
type Outcome = Partial<Pick<ToolStatusPayload, 'detail' | 'duration_ms' | 'decided_by'>> & {
  readonly status: string;
  /** True when the person before the page has denied it. */
  readonly isMine?: boolean;
  /** The permissions without which the call is not allowed. */
  readonly missing?: readonly string[];
};

/** The icon and colour of each status. A denied call has not failed: a person or a permission held it back. */
const LOOKS: Readonly<Record<string, Look>> = {
  succeeded: [icons.done, 'good'],
  failed: [icons.failed, 'bad'],
  timed_out: [icons.failed, 'bad'],
  unknown: [icons.unknown, 'warn'],
  denied: [icons.denied, 'held'],
  awaiting_approval: [icons.asks, 'held'],
};
const RUNNING: Look = [icons.working, 'info'];

/** Statuses that another follows while the turn runs. */
const UNFINISHED = new Set(['requested', 'awaiting_approval', 'running', 'progress']);

/** Returns the outcome that the content of a `tool_result` block states. */
export function readOutcome({ ok, status, decided_by, content }: Readonly<Record<string, unknown>>): Outcome {
  if (ok === true) return { status: 'succeeded' };
  const { code, message, details } = readRecord(content);
  const fallback = code === 'TOOL_DENIED' ? 'denied' : code === 'TOOL_TIMEOUT' ? 'timed_out' : 'failed';
  const detail = readText(message);
  const decider = readText(decided_by);
  const { missing_permissions } = readRecord(details);
  return {
    status: readText(status) ?? fallback,
    ...(detail !== undefined && { detail }),
    ...(decider !== undefined && { decided_by: decider }),
    ...(Array.isArray(missing_permissions) && { missing: missing_permissions.map(String) }),
  };
}

function readRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Describes an outcome in words: who denied it, or what it needs. */
export function describeOutcome({ status, decided_by, isMine, missing, detail }: Outcome): string {
  if (status === 'denied' && decided_by !== undefined)
    return isMine ? texts.tool.deniedByYou : texts.tool.deniedBy(decided_by);
  if (status === 'denied' && missing && missing.length > 0) return texts.tool.needs(missing.join(', '));
  const word = texts.tool.status[status] ?? status;
  return detail === undefined ? word : `${word} · ${detail}`;
}

/** Summarises several calls: how many there are, and how many did not succeed. */
export function summariseCalls(outcomes: readonly Outcome[]): string {
  const count = (...statuses: string[]) => outcomes.filter(({ status }) => statuses.includes(status)).length;
  return texts.tool.several(outcomes.length, count('failed', 'timed_out', 'unknown'), count('denied'));
}

/** Returns the call id of a `tool_call` or `tool_result` block. */
export function readCallId({ content }: StreamBlock): string {
  return readText(readJson(content)['call_id']) ?? '';
}

/**
 * Renders a call, with its result when there is one. `isOver`: its turn has ended, so that a call without a result neither
 * runs nor can be decided on.
 */
export function renderCall(
  call: StreamBlock,
  result: StreamBlock | undefined,
  status: ToolStatusPayload | undefined,
  isOver: boolean,
  decider: Decider,
): TemplateResult {
  if (isWaiting(status) && !result && !isOver) return renderApproval(status, decider.decide);
  const { tool, parameters } = readJson(call.content);
  const outcome = result && readJson(result.content);
  const parts: Part[] = [[texts.block.parameters, toVisibleText(JSON.stringify(parameters ?? {}))]];
  if (outcome)
    parts.push([
      texts.block.result,
      toVisibleText(typeof outcome['content'] === 'string' ? outcome['content'] : JSON.stringify(outcome['content'])),
    ]);
  const known = attribute(findOutcome(result, status), readCallId(call), decider);
  const isLost = isOver && (known === undefined || UNFINISHED.has(known.status));
  return renderFold(renderSummary(readText(tool) ?? '', isLost ? { status: 'unknown' } : known), parts);
}

/** Returns the outcome of a call: after a reload that of a finished one is known only from its result. */
export function findOutcome(
  result: StreamBlock | undefined,
  status: ToolStatusPayload | undefined,
): Outcome | undefined {
  if (!result) return status;
  const duration = status?.duration_ms;
  return { ...readOutcome(readJson(result.content)), ...(duration !== undefined && { duration_ms: duration }) };
}

function attribute(outcome: Outcome | undefined, callId: string, decider: Decider): Outcome | undefined {
  const { decided_by: decidedBy } = outcome ?? {};
  return outcome && { ...outcome, isMine: decidedBy !== undefined && decider.hasDenied(callId, decidedBy) };
}

/** Renders a call of which only the status is known so far. */
export function renderStatus(status: ToolStatusPayload, decider: Decider): TemplateResult {
  return isWaiting(status)
    ? renderApproval(status, decider.decide)
    : html`<p class="block tool">${renderSummary(status.tool, attribute(status, status.call_id, decider))}</p>`;
}

function renderSummary(tool: string, status: Outcome | undefined): TemplateResult {
  const name = status?.status ?? 'running';
  const seconds =
    status?.duration_ms === undefined ? undefined : texts.tool.duration((status.duration_ms / 1_000).toFixed(1));
  const words = describeOutcome(status ?? { status: name });
  const outcome = seconds === undefined ? words : `${words} · ${seconds}`;
  const [icon, tone] = LOOKS[name] ?? RUNNING;
  return html`<code>${toVisibleText(tool)}</code
    ><span class="outcome state ${tone}">${icon}<bdi>${toVisibleText(outcome)}</bdi></span>`;
}

function isWaiting(status: ToolStatusPayload | undefined): status is WaitingCall {
  return status?.status === 'awaiting_approval' && status.approval !== undefined;
}

/** Renders a call that waits for approval, with all its arguments. */
function renderApproval(status: WaitingCall, decide?: Decide): TemplateResult {
  const { tool, approval, agent, detail } = status;
  const wants = agent === undefined ? texts.tool.wantsToRun : texts.tool.ofAgent(agent);
  return html`<div class="block approval" role="group" aria-label=${toVisibleText(`${tool} ${wants}`)}>
    <p class="state held">
      ${icons.asks}<span><code>${toVisibleText(tool)}</code> ${wants}</span>
    </p>
    ${detail === undefined ? nothing : html`<p dir="auto">${toVisibleText(detail)}</p>`}
    ${renderArguments(approval.arguments)}
    <details class="raw">
      <summary>${texts.tool.raw}</summary>
      <pre ${ref(tabStop)} dir="ltr">${toVisibleText(JSON.stringify(approval.arguments, undefined, 2))}</pre>
    </details>
    <p>
      ${typeof decide === 'object' ? renderSignIn(decide) : renderDecision(status, decide)}
      <chat-countdown class="faint" .until=${approval.expires_at}></chat-countdown>
    </p>
  </div>`;
}

function renderSignIn({ signIn }: { readonly signIn: () => void }): TemplateResult {
  return html`${texts.tool.needsToken}
    <button type="button" class="plain" @click=${signIn}>${texts.signIn.submit}</button>`;
}

function renderDecision(status: WaitingCall, decide?: (status: WaitingCall, decision: 'allow' | 'deny') => void) {
  return html`<button type="button" class="main" ?disabled=${!decide} @click=${() => decide?.(status, 'allow')}>
      ${texts.tool.allow}
    </button>
    <button type="button" class="plain" ?disabled=${!decide} @click=${() => decide?.(status, 'deny')}>
      ${texts.tool.deny}
    </button>`;
}

/** Renders arguments as a list: texts as they are, other values as JSON. */
function renderArguments(given: unknown): TemplateResult {
  const show = (value: unknown) => toVisibleText(typeof value === 'string' ? value : JSON.stringify(value));
  const entries = Object.entries(readRecord(given));
  return html`<dl class="arguments">
    ${entries.map(
      ([name, value]) =>
        html`<div>
          <dt dir="auto">${toVisibleText(name)}</dt>
          <dd dir="auto"><chat-parts .text=${show(value)}></chat-parts></dd>
        </div>`,
    )}
  </dl>`;
}

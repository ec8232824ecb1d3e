import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { style } from '../../design/style.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import type { MediaFiles } from '../../model/media-files.js';
import { pathOf } from '../api.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { formatCount, formatDuration, formatTokens } from '../format.js';
import { renderState } from '../state-chip.js';
import { ticks } from '../ticker.js';
import { SLOW_MS } from './activity.js';
import type { HistoryItem, MessageLife } from './history-item.js';
import { renderText } from './parts.js';
import { renderSaid } from './said.js';
import { sessionTexts as texts } from './sessions.texts.js';
import './step-log.js';
import { layOut, sumUsage, type Segment, type Step } from './turn-bar.js';

/** Turns whose life is read at the same time. */
const MAX_READS = 4;

let reads = 0;
const waiting: (() => void)[] = [];

/** Runs a read once fewer than {@link MAX_READS} run. */
async function takeTurns<T>(read: () => Promise<T>): Promise<T> {
  if (reads >= MAX_READS) await new Promise<void>((resolve) => waiting.push(resolve));
  reads++;
  try {
    return await read();
  } finally {
    reads--;
    waiting.shift()?.();
  }
}

/** One turn of a conversation: what the person saw, and beside it where the time went. It reads the latter once it is in sight. */
@customElement('console-turn')
export class ConsoleTurn extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property({ attribute: false }) item!: HistoryItem;
  @property({ attribute: false }) files!: MediaFiles;
  @state() private life: MessageLife | undefined;
  @state() private error: unknown;
  /** The step that is open. */
  @state() private open: Step | undefined;
  #isInSight = false;
  #stops: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      this.#isInSight = true;
      void this.read();
    });
    observer.observe(this);
    this.#stops = [
      () => observer.disconnect(),
      ticks.subscribe(() => {
        if (this.isRunning) this.requestUpdate();
      }),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
  }

  /** Reads again where the time went. */
  async read(): Promise<void> {
    if (!this.#isInSight) return;
    try {
      this.life = await takeTurns(() => this.app.api.get<MessageLife>(pathOf('messages', this.item.message_ref)));
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('item');
    if (before && before.status !== this.item.status) void this.read();
  }

  protected override render(): TemplateResult {
    const { item, files } = this;
    return html`${guard([item], () => renderSaid(item, files))}
      <div class="facts-of-turn">
        <p class="turn-head">
          ${renderState(this.state)}
          <span class="faint">
            <console-time as="clock" .at=${item.received_at}></console-time> · ${formatDuration(this.durationMs)}
          </span>
        </p>
        ${this.renderLife()}
      </div>`;
  }

  private get isRunning(): boolean {
    return this.item.end === undefined && (this.item.status === 'running' || this.item.status === 'queued');
  }

  private get durationMs(): number {
    const { end, received_at: from } = this.item;
    return (end?.at ?? (this.isRunning ? gatewayClock.now() : from)) - from;
  }

  private get state(): string {
    const { end, status } = this.item;
    if (status === 'running' && this.life?.steps.at(-1)?.kind === 'approval') return 'approval';
    if (status === 'running' && this.durationMs > SLOW_MS) return 'slow';
    return end?.reason ?? status;
  }

  private renderLife(): TemplateResult {
    const { life, error } = this;
    if (!life && error !== undefined)
      return html`<p class="trouble" role="alert">
        ${describeError(error)}
        <button type="button" class="quiet" @click=${this.read}>${texts.tryAgain}</button>
      </p>`;
    if (!life) return html`<div class="bar-of-turn skeleton" aria-hidden="true"></div>`;
    const segments = layOut(life.steps, gatewayClock.now());
    return html`<div class="bar-of-turn" role="group" aria-label=${texts.bar}>
        ${segments.map((segment) => this.renderSegment(segment))}
      </div>
      <p class="faint">${this.describe(life)}</p>
      ${this.open ? this.renderStep(this.open) : nothing}`;
  }

  private renderSegment({ step, durationMs, share, isRunning, isCut }: Segment): TemplateResult {
    const words = describeStep(step, durationMs, isRunning);
    return html`<button
      type="button"
      class="segment of-${step.kind} ${isCut ? 'cut' : ''}"
      title=${words}
      aria-expanded=${this.open?.started_at === step.started_at && this.open.kind === step.kind}
      @click=${() => (this.open = this.open === step ? undefined : step)}
      ${style({ 'flex-grow': String(share) })}
    >
      <span>${words}</span>
    </button>`;
  }

  private describe({ steps, attempts, deliveries }: MessageLife): string {
    const usage = sumUsage(steps);
    const calls = steps.filter(({ kind }) => kind === 'tool').length;
    return [
      texts.steps(steps.filter(({ kind }) => kind === 'model').length),
      ...(calls > 0 ? [texts.calls(calls)] : []),
      ...(attempts > 1 ? [texts.attempt(attempts)] : []),
      ...(usage ? [texts.tokens(formatTokens(usage.input_tokens), formatTokens(usage.output_tokens))] : []),
      ...deliveries
        .filter(({ state: name }) => name !== 'sent')
        .map(({ state: name, reason }) => texts.delivery(name, reason)),
    ].join(' · ');
  }

  private renderStep({ kind, started_at: from, ended_at: to, tool, decided_by: by, usage }: Step): TemplateResult {
    return html`<dl class="facts panel">
        <dt>${texts.facts.step}</dt>
        <dd>${texts.kinds[kind]}${tool === undefined ? nothing : html` <code>${renderText(tool)}</code>`}</dd>
        <dt>${texts.facts.began}</dt>
        <dd><console-time as="exact" .at=${from}></console-time></dd>
        ${
          to === undefined
            ? nothing
            : html`<dt>${texts.facts.took}</dt>
                <dd>${formatDuration(to - from)}</dd>`
        }
        ${
          by === undefined
            ? nothing
            : html`<dt>${texts.facts.decidedBy}</dt>
                <dd>${renderText(by)}</dd>`
        }
        ${
          usage
            ? html`<dt>${texts.facts.tokens}</dt>
                <dd>${texts.tokens(formatCount(usage.input_tokens), formatCount(usage.output_tokens))}</dd>`
            : nothing
        }
      </dl>
      <console-step-log .app=${this.app} .from=${from} .to=${to ?? gatewayClock.now()}></console-step-log>`;
  }
}

/** Returns a step in words: "waited for bob 40 s", "http.fetch 5 min 28 s, running". */
function describeStep({ kind, tool, decided_by: by }: Step, durationMs: number, isRunning: boolean): string {
  const duration = formatDuration(durationMs);
  const what = {
    wait: texts.bars.waited,
    model: texts.bars.model,
    tool: toVisibleText(tool ?? texts.bars.tool),
    approval: toVisibleText(texts.bars.approval(by)),
    delivery: texts.bars.delivery,
  }[kind];
  if (kind === 'delivery') return what;
  return isRunning ? texts.bars.running(what, duration) : `${what} ${duration}`;
}

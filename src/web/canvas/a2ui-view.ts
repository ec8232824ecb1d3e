import { Context } from '@a2ui/lit/v0_9';
import { MessageProcessor, type A2uiMessage, type SurfaceModel } from '@a2ui/web_core/v0_9';
import { writeHtml } from '../blocks/written-html.js';
import { html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { Surface } from '../model/surfaces.js';
import { texts } from '../texts.js';
import { buildCatalog } from './catalog.js';
import { DrawingMark } from './drawing-mark.js';
import { LinkQuestion } from './link-question.js';
import { mergeData } from './merge-data.js';
import { findFocusedPath, readLabel } from './focus.js';
import { ProblemReport } from './problem-report.js';
import type { SurfaceAction } from './surface-view.js';

/** Pause after a change before it is reported, in milliseconds. */
const REPORT_AFTER_MS = 500;
/** Larger values are not reported: the gateway takes no more. In UTF-16 units. */
const MAX_REPORT_LENGTH = 60_000;

/** A surface of A2UI. What the person enters stays over changes of the agent and over a reload. */
@customElement('canvas-a2ui')
export class CanvasA2ui extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  @property({ attribute: false }) conversation!: Conversation;
  @property({ attribute: false }) surface!: Surface;
  @state() private failure: 'halted' | 'failed' | undefined;
  private model: SurfaceModel<never> | undefined;
  private drawn: Surface | undefined;
  private processor: MessageProcessor<never> | undefined;
  private base: unknown;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isTaking = false;
  private readonly mark = new DrawingMark();
  private readonly problems = new ProblemReport(() => this);
  private readonly link = new LinkQuestion(this);

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('context-request', (event) => provideMarkdown(event as ContextRequest));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.report();
    this.mark.done();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('surface') && this.surface !== this.drawn) this.take();
  }

  protected override render(): TemplateResult {
    if (this.failure) {
      return html`<p class="note" role="status">
        ${texts.canvas[this.failure]}
        <button type="button" class="quiet" @click=${this.drawAgain}>${texts.canvas.drawAgain}</button>
      </p>`;
    }
    return html`${this.link.render()}<a2ui-surface .surface=${this.model}></a2ui-surface>`;
  }

  protected override updated(): void {
    if (!this.failure) this.mark.doneAfterFrames();
  }

  private drawAgain(): void {
    this.mark.done();
    this.failure = undefined;
    this.drawn = undefined;
    this.take();
  }

  /** Takes another state: a change of the surface that is drawn, or another surface. */
  private take(): void {
    const { surface, drawn } = this;
    const name = `${this.conversation.sender} ${surface.surface_id} ${surface.version}`;
    if (!this.mark.begin(name)) {
      this.failure = 'halted';
      return;
    }
    this.failure = undefined;
    this.isTaking = true;
    try {
      const isChange = drawn?.surface_id === surface.surface_id && drawn.since === surface.since;
      if (isChange && this.processor) this.change();
      else this.create();
      this.drawn = surface;
    } catch (error) {
      this.failure = 'failed';
      this.problems.add(error);
    }
    this.isTaking = false;
  }

  private create(): void {
    this.report();
    const { surface_id, since, messages } = this.surface;
    const catalog = buildCatalog((address) => this.link.ask(address));
    const processor = new MessageProcessor([catalog]);
    processor.processMessages(messages as A2uiMessage[]);
    const model = processor.model.getSurface(surface_id);
    if (!model) throw new Error('the messages make no surface');
    this.base = structuredClone(model.dataModel.get('/'));
    const kept = this.chat.entered.read(this.conversation.sender, surface_id);
    if (kept?.since === since) model.dataModel.set('/', mergeData(kept.base, this.base, kept.local));
    this.follow(model as unknown as SurfaceModel<never>, processor as unknown as MessageProcessor<never>);
  }

  private follow(model: SurfaceModel<never>, processor: MessageProcessor<never>): void {
    this.processor = processor;
    this.model = model;
    model.onAction.subscribe(({ name, context, sourceComponentId }) => {
      const detail: SurfaceAction = { name, context, label: readLabel(model, sourceComponentId) };
      this.report();
      this.dispatchEvent(new CustomEvent('act', { detail }));
    });
    model.onError.subscribe(({ message }) => this.problems.add(message));
    model.dataModel.subscribe('/', () => this.entered());
  }

  /** Changes what is drawn in place, so that the field with the focus keeps it. */
  private change(): void {
    const { surface, processor, model } = this;
    if (!processor || !model) return;
    const updates = (surface.messages as A2uiMessage[]).filter((message) => 'updateComponents' in message);
    processor.processMessages(updates);
    const next = readData(surface);
    const local = model.dataModel.get('/') as unknown;
    model.dataModel.set('/', mergeData(this.base, structuredClone(next), local, findFocusedPath(this)));
    this.base = structuredClone(next);
    this.keep();
  }

  private entered(): void {
    if (this.isTaking) return;
    this.keep();
    this.timer ??= setTimeout(() => this.report(), REPORT_AFTER_MS);
  }

  private keep(): void {
    const { drawn, model, base } = this;
    if (!drawn || !model) return;
    const entered = { since: drawn.since, base, local: model.dataModel.get('/') as unknown };
    this.chat.entered.save(this.conversation.sender, drawn.surface_id, entered);
  }

  /** Reports what is entered, if something has changed since the last report. */
  private report(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { drawn, model } = this;
    const { sessionId } = this.conversation.transcript;
    if (!drawn || !model || sessionId === undefined) return;
    const data = model.dataModel.get('/') as unknown;
    if (JSON.stringify(data).length > MAX_REPORT_LENGTH) return;
    this.chat.link.client?.canvasState(sessionId, { surface_id: drawn.surface_id, version: drawn.version, data });
  }
}

/** A request of a component to the elements around it, as Lit's elements send it. */
interface ContextRequest extends Event {
  readonly context: unknown;
  readonly callback: (value: (markdown: string) => Promise<string>) => void;
}

/** Gives texts the page's own Markdown, which sanitises what it makes. */
function provideMarkdown(event: ContextRequest): void {
  if (event.context !== Context.markdown) return;
  event.stopPropagation();
  event.callback(async (markdown) => writeHtml(markdown));
}

function readData({ messages }: Surface): unknown {
  for (const message of messages as readonly { readonly updateDataModel?: { readonly value?: unknown } }[])
    if (message.updateDataModel) return message.updateDataModel.value ?? {};
  return {};
}

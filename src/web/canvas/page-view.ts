import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import type { Surface } from '../model/surfaces.js';
import type { CanvasApp } from '../../client/index.js';
import { texts } from '../texts.js';
import { AppHost } from './app-host.js';
import { FrameHeight } from './frame-height.js';
import { LinkQuestion } from './link-question.js';
import { ProblemReport } from './problem-report.js';
import { ShownPageMark } from './shown-page-mark.js';
import type { SurfaceAction } from './surface-view.js';

/** The state of the frame: only `shown` has a page. */
type Stage = 'loading' | 'shown' | 'left' | 'gone' | 'halted';

/**
 * A page of the agent, in a sandboxed frame with an origin of its own. The page speaks over a port that its first document
 * gets: whatever else comes into the frame has none, and takes the frame away.
 */
@customElement('canvas-page')
export class CanvasPage extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  @property({ attribute: false }) conversation!: Conversation;
  @property({ attribute: false }) surface!: Surface;
  @state() private stage: Stage = 'loading';
  @state() private address = '';
  private readonly link = new LinkQuestion(this);
  private readonly frame = createRef<HTMLIFrameElement>();
  private readonly height = new FrameHeight(() => this.frame.value);
  private readonly mark = new ShownPageMark();
  private readonly problems = new ProblemReport(() => this);
  private port: MessagePort | undefined;
  private host: AppHost | undefined;
  private loads = 0;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('securitypolicyviolation', this.refused);
    addEventListener('pagehide', this.unmark);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('securitypolicyviolation', this.refused);
    removeEventListener('pagehide', this.unmark);
    this.close('loading');
  }

  private readonly unmark = (): void => this.mark.done();

  /** The browser has kept the page from going elsewhere. */
  private readonly refused = ({ effectiveDirective }: SecurityPolicyViolationEvent): void => {
    if (effectiveDirective === 'frame-src' && this.address !== '') this.leave();
  };

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('surface');
    const { surface_id, version } = this.surface;
    if (!changed.has('surface') || (before?.surface_id === surface_id && before.version === version)) return;
    void this.open();
  }

  protected override render(): TemplateResult {
    const { stage, address, surface } = this;
    return html`${this.link.render()}
    ${
      address === ''
        ? html`<p class="note" role="status">
            ${texts.canvas[stage === 'shown' ? 'loading' : stage]}
            ${stage === 'loading' ? nothing : html`<button type="button" class="quiet" @click=${this.open}>${texts.canvas.tryAgain}</button>`}
          </p>`
        : html`<iframe
            ${ref(this.frame)}
            class="page"
            title=${surface.title ?? texts.canvas.page}
            sandbox="allow-scripts"
            src=${address}
            @load=${this.loaded}
          ></iframe>`
    }`;
  }

  /** Asks for a new address: the one before is for an older state, or has expired. */
  private async open(): Promise<void> {
    const { surface, conversation, chat } = this;
    const { sessionId } = conversation.transcript;
    this.close('loading');
    if (sessionId === undefined) return;
    if (!this.mark.begin(`${conversation.sender} ${surface.surface_id} ${surface.version}`)) {
      this.stage = 'halted';
      return;
    }
    try {
      const given = await chat.link.client?.openCanvas(sessionId, surface.surface_id);
      if (surface !== this.surface || !this.isConnected) return;
      this.loads = 0;
      this.stage = 'shown';
      this.address = given ? new URL(`${given.url}/page`, location.href).href : '';
    } catch {
      if (surface === this.surface) this.close('gone');
    }
  }

  private close(stage: Stage): void {
    this.mark.done();
    this.port?.close();
    this.port = undefined;
    this.host = undefined;
    this.address = '';
    this.link.end();
    this.stage = stage;
  }

  private leave(): void {
    this.problems.add('the page has gone to another address, so it is no longer shown');
    this.close('left');
  }

  /** A second document is not the agent's page. */
  private loaded(): void {
    const { contentWindow } = this.frame.value ?? {};
    if (++this.loads > 1 || !contentWindow) return this.leave();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.host = this.surface.app && this.makeHost(this.surface.app, port1);
    this.height.reset();
    port1.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.hear(data));
    port1.start();
    // The frame has an opaque origin, which cannot be named.
    contentWindow.postMessage({ type: 'port' }, '*', [port2]);
  }

  private hear(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    const { type, action, context, height, url, pressed, message, problem } = data as Readonly<Record<string, unknown>>;
    if (type === 'rpc') this.host?.hear(message, pressed === true);
    if (type === 'problem' && typeof problem === 'string') this.problems.add(problem);
    if (type === 'resize') this.height.set(height);
    // A page acts only while a person presses something in it.
    if (pressed !== true) return;
    if (type === 'open_link') this.link.ask(url);
    else if (type === 'action' && typeof action === 'string' && action !== '') this.act(action, context);
  }

  /** Speaks with the page of an MCP server. */
  private makeHost(app: CanvasApp, port: MessagePort): AppHost {
    return new AppHost(app, {
      send: (message) => port.postMessage(message),
      resize: (height) => this.height.set(height),
      openLink: (url) => this.link.ask(url),
      say: (text) => this.act('message', {}, text),
    });
  }

  /** Returns false if it is not sent. */
  private act(name: string, context: unknown, text?: string): boolean {
    const detail: SurfaceAction = {
      name,
      context: typeof context === 'object' && context !== null ? { ...context } : {},
      label: '',
      ...(text !== undefined && { text }),
    };
    return this.dispatchEvent(new CustomEvent('act', { detail, cancelable: true }));
  }
}

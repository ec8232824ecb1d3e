import './a2ui-view.js';
import './page-view.js';
import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Chat } from '../model/chat.js';
import type { Conversation } from '../model/conversation.js';
import { isActing, type Surface } from '../model/surfaces.js';
import { texts } from '../texts.js';

/** An action of a person on a surface. */
export interface SurfaceAction {
  readonly name: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** The text of what the person pressed; empty if it has none. */
  readonly label: string;
}

/** The most characters of a label or a name that become a message. */
const MAX_LABEL = 256;

/** A surface, which is drawn as its kind says. Actions become messages, one for each press. */
@customElement('chat-surface')
export class ChatSurface extends LitElement {
  @property({ attribute: false }) chat!: Chat;
  @property({ attribute: false }) conversation!: Conversation;
  @property({ attribute: false }) surface!: Surface;
  /** True while a press is not stored by the gateway: until then nothing else can be pressed. */
  @property({ type: Boolean }) acting = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { chat, conversation, surface, acting } = this;
    const act = ({ detail }: CustomEvent<SurfaceAction>) => this.act(detail);
    const view =
      surface.kind === 'a2ui'
        ? html`<canvas-a2ui .chat=${chat} .conversation=${conversation} .surface=${surface} @act=${act}></canvas-a2ui>`
        : html`<canvas-page .chat=${chat} .conversation=${conversation} .surface=${surface} @act=${act}></canvas-page>`;
    return html`<div class="drawn" aria-busy=${acting}>${view}</div>
      <p class="note" role="status">${acting ? texts.canvas.sending : ''}</p>`;
  }

  private act({ name, context, label }: SurfaceAction): void {
    // The page is drawn later than a second press may come.
    if (isActing(this.chat, this.surface) || !this.chat.mayWrite) return;
    const { surface_id, version } = this.surface;
    const canvas = { surface_id, version, action: name.slice(0, MAX_LABEL), context: { ...context } };
    this.chat.send(label.trim().slice(0, MAX_LABEL) || name.slice(0, MAX_LABEL), [], undefined, canvas);
  }
}

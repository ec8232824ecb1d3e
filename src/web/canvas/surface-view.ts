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
  /** A text of the page of an MCP server in the name of the person, in place of the label. */
  readonly text?: string;
}

/** The most characters of a label or a name that become a message. */
const MAX_LABEL = 256;
/** The most characters of what the page of an MCP server says. */
const MAX_TEXT = 4_096;

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
    const act = (event: CustomEvent<SurfaceAction>) => {
      if (!this.act(event.detail)) event.preventDefault();
    };
    const view =
      surface.kind === 'a2ui'
        ? html`<canvas-a2ui .chat=${chat} .conversation=${conversation} .surface=${surface} @act=${act}></canvas-a2ui>`
        : html`<canvas-page .chat=${chat} .conversation=${conversation} .surface=${surface} @act=${act}></canvas-page>`;
    return html`<div class="drawn" aria-busy=${acting}>${view}</div>
      <p class="note" role="status">${acting ? texts.canvas.sending : ''}</p>`;
  }

  /** Returns false if it is not sent. */
  private act({ name, context, label, text }: SurfaceAction): boolean {
    // The page is drawn later than a second press may come.
    if (isActing(this.chat, this.surface) || !this.chat.mayWrite) return false;
    const { surface_id, version } = this.surface;
    const canvas = { surface_id, version, action: name.slice(0, MAX_LABEL), context: { ...context } };
    const said = text?.trim().slice(0, MAX_TEXT) ?? label.trim().slice(0, MAX_LABEL);
    this.chat.send(said || canvas.action, [], undefined, canvas);
    return true;
  }
}

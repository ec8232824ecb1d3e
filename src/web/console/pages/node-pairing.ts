import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import { announce } from '../../design/announce.js';
import { copyText } from '../../design/clipboard.js';
import '../act.js';
import type { ConsoleContext } from '../context.js';
import './countdown.js';
import { FormValues } from './form-values.js';
import { drawQrCode } from './qr-code.js';

/** A code that lets one device in. */
interface Invitation {
  readonly code: string;
  readonly expires_at: number;
  /** Where people reach the gateway, if that is known. */
  readonly url?: string;
}

/** A command that lets a device in: it makes a code, and shows it with the time until it ends. Dispatches `paired`. */
@customElement('console-node-pairing')
export class ConsoleNodePairing extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @state() private invitation: Invitation | undefined;
  @state() private drawing: TemplateResult | undefined;
  private readonly dialog = createRef<HTMLDialogElement>();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<console-action
        .app=${this.app}
        look="main"
        label="Pair a device…"
        .run=${async () => this.dialog.value?.showModal()}
      ></console-action>
      <dialog
        ${ref(this.dialog)}
        class="dialog"
        aria-labelledby="pairing-heading"
        @close=${() => {
          this.invitation = this.drawing = undefined;
          this.dispatchEvent(new CustomEvent('paired'));
        }}
      >
        <h2 id="pairing-heading">Pair a device</h2>
        ${this.invitation ? this.renderCode(this.invitation) : this.renderForm()}
      </dialog>`;
  }

  private renderForm(): TemplateResult {
    return html`<form class="stack" @submit=${this.invite}>
      <label>
        <span>Name; empty: as the device calls itself</span>
        <input class="field" name="name" maxlength="100" autocomplete="off" />
      </label>
      <label>
        <span>Commands that it may offer, one pattern in a line; empty: all that are not dangerous</span>
        <textarea class="field" name="allow" rows="2" spellcheck="false" placeholder="camera.*"></textarea>
      </label>
      <div class="buttons">
        <button type="button" class="plain" @click=${this.close}>Cancel</button>
        <button class="main">Make a code</button>
      </div>
    </form>`;
  }

  private renderCode({ code, expires_at: expiresAt }: Invitation): TemplateResult {
    return html`<p>Show this code to the device. It lets in one device, once.</p>
      <p class="pairing-code"><code>${code}</code></p>
      ${this.drawing ?? nothing}
      <p><console-countdown .until=${expiresAt}></console-countdown></p>
      <div class="buttons">
        <button type="button" class="plain" @click=${() => this.copy(this.findLink() ?? code)}>
          ${this.findLink() === undefined ? 'Copy the code' : 'Copy the link'}
        </button>
        <button type="button" class="main" autofocus @click=${this.close}>Done</button>
      </div>`;
  }

  private readonly invite = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const name = form.text('name').trim();
    const allow = form.words('allow');
    const wish = { ...(name !== '' && { name }), ...(allow.length > 0 && { allow }) };
    await this.app.act.run(async () => {
      this.invitation = await this.app.api.post<Invitation>('/nodes/pairings', wish);
      const link = this.findLink();
      if (link !== undefined) this.drawing = await drawQrCode(link, `The link ${link} as a QR code`);
    });
  };

  /** The link to the page for devices. Browsers give cameras and keys to pages of https alone, and of this machine. */
  private findLink(): string | undefined {
    if (!this.invitation) return undefined;
    const { code, url = location.origin + this.app.router.base.replace(/\/console$/, '') } = this.invitation;
    return /^(https:|http:\/\/(localhost|127(\.\d+){3}|\[::1\])([:/]|$))/.test(url)
      ? `${url}/node#pair=${code}`
      : undefined;
  }

  private async copy(text: string): Promise<void> {
    announce((await copyText(text)) ? 'Copied' : 'The browser does not allow copying');
  }

  private readonly close = (): void => this.dialog.value?.close();
}

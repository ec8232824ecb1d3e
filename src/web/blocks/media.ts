import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { MediaError, type MediaFailure, type MediaFiles } from '../model/media-files.js';
import { texts } from '../texts.js';

/** A picture or sound stored by this gateway or chosen on this device, shown through a `blob:` URL. */
@customElement('chat-media')
export class ChatMedia extends LitElement {
  @property({ attribute: false }) files!: MediaFiles;
  /** The file itself, or its id. */
  @property({ attribute: false }) source: Blob | string = '';
  @property() kind: 'image' | 'audio' = 'image';
  @property() label = '';
  @state() private address = '';
  @state() private failure: MediaFailure | undefined;
  #loading: Blob | string | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Moving an element disconnects it, which revokes its URL.
    if (this.hasUpdated) void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.release();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('source')) void this.load();
  }

  protected override render(): TemplateResult {
    const { address, label } = this;
    if (this.failure !== undefined) return this.renderFailure(this.failure);
    if (address === '') return html`<span class="faint" role="status">${texts.media.loading(label)}</span>`;
    return this.kind === 'image'
      ? html`<img src=${address} alt=${label} />`
      : html`<audio controls preload="metadata" src=${address} aria-label=${label}></audio>`;
  }

  private renderFailure(failure: MediaFailure): TemplateResult {
    const canPass = failure === 'unreachable' || failure === 'failed';
    return html`<span class="faint" role="status">${texts.media.failures[failure](this.label)}</span>
      ${canPass ? html`<button type="button" class="quiet" @click=${this.load}>${texts.media.tryAgain}</button>` : nothing}`;
  }

  private async load(): Promise<void> {
    this.release();
    const { source } = this;
    this.#loading = source;
    this.failure = undefined;
    try {
      const blob = typeof source === 'string' ? await this.files.read(source, this.kind) : source;
      if (this.#loading === source) this.address = URL.createObjectURL(blob);
    } catch (error) {
      if (this.#loading === source) this.failure = error instanceof MediaError ? error.failure : 'failed';
    }
    if (this.#loading === source) this.#loading = undefined;
  }

  /** Revokes the URL, which keeps the file in memory. */
  private release(): void {
    this.#loading = undefined;
    if (this.address !== '') URL.revokeObjectURL(this.address);
    this.address = '';
  }
}

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { download } from '../design/download.js';
import { icons } from '../design/icons.js';
import { cleanFileName } from '../file-name.js';
import { MediaError, type MediaFailure, type MediaFiles } from '../model/media-files.js';
import { formatBytes } from '../sizes.js';
import { texts } from '../texts.js';

/** A file that this gateway stores, by name and size. A press saves it. */
@customElement('chat-file')
export class ChatFile extends LitElement {
  @property({ attribute: false }) files!: MediaFiles;
  @property() mediaId = '';
  @property() name = '';
  /** In bytes; 0 when it is not known. */
  @property({ type: Number }) size = 0;
  @state() private failure: MediaFailure | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const name = cleanFileName(this.name);
    return html`<button type="button" class="plain file" aria-label=${texts.files.save(name)} @click=${this.save}>
        ${icons.file}<span class="file-name" dir="auto">${name}</span
        >${this.size > 0 ? html`<span class="faint">${formatBytes(this.size)}</span>` : nothing}
      </button>
      ${this.failure === undefined ? nothing : html`<span class="faint" role="status">${texts.media.failures[this.failure](name)}</span>`}`;
  }

  private async save(): Promise<void> {
    this.failure = undefined;
    try {
      download(cleanFileName(this.name), await this.files.readAny(this.mediaId));
    } catch (error) {
      this.failure = error instanceof MediaError ? error.failure : 'failed';
    }
  }
}

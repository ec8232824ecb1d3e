import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { MAX_CONTENT_LENGTH } from '../../client/index.js';
import type { MediaFiles } from '../media-files.js';
import { countCharacters, findTextFault, type TextFault } from '../message-limits.js';
import type { Picture } from '../picture-tray.js';
import { texts } from '../texts.js';
import { icons } from './icons.js';

/** From here on the characters are counted before the writer's eyes. */
const COUNT_FROM = 60_000;

const number = new Intl.NumberFormat(undefined);

/** On a touch screen Enter makes a new line, as people expect there; the button sends. */
const isTouch = matchMedia('(pointer: coarse)');

/**
 * Where a message is written. Tells `send` with a text that is in order (and keeps it: its owner sets {@link text}),
 * `typed` with each change, `attach` with files that were chosen, `detach` with a picture to take off, and `stop`.
 */
@customElement('chat-composer')
export class ChatComposer extends LitElement {
  @property() agent = '';
  @property({ type: Number }) maxFrameBytes = 0;
  /** Whether an answer runs that could be stopped. */
  @property({ type: Boolean }) running = false;
  @property({ type: Boolean }) readOnly = false;
  /** What the page has to say about writing. */
  @property() notice = '';
  /** What goes with the message, and where such files are read. */
  @property({ attribute: false }) pictures: readonly Picture[] = [];
  @property({ attribute: false }) files!: MediaFiles;
  @query('input[type=file]') private readonly chooser!: HTMLInputElement;
  @query('textarea') private readonly area!: HTMLTextAreaElement;
  @state() private characters = 0;
  @state() private fault: TextFault | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  get text(): string {
    return this.area.value;
  }

  set text(text: string) {
    this.area.value = text;
    this.measure();
  }

  override focus(): void {
    this.area.focus();
  }

  /** Makes ready to write where that does not bring up a keyboard over half the page. */
  invite(): void {
    if (!isTouch.matches) this.focus();
  }

  protected override render(): TemplateResult {
    const problem = this.describeFault();
    const isEmpty = this.characters === 0 && this.pictures.length === 0;
    return html`<form class="composer" @submit=${this.submit}>
      <div role="alert">
        ${problem === undefined ? nothing : html`<p class="trouble" id="composer-problem">${problem}</p>`}
      </div>
      ${this.pictures.length === 0 ? nothing : this.renderPictures()}
      <div class="writing">
        <input type="file" accept="image/*" multiple hidden @change=${this.choose} />
        <button
          type="button"
          class="icon-button"
          aria-label=${texts.pictures.attach}
          title=${texts.pictures.attach}
          ?disabled=${this.readOnly}
          @click=${() => this.chooser.click()}
        >
          ${icons.picture}
        </button>
        <textarea
          rows="1"
          dir="auto"
          enterkeyhint=${isTouch.matches ? 'enter' : 'send'}
          aria-label=${texts.composer.label}
          aria-describedby=${problem === undefined ? 'composer-hint' : 'composer-problem composer-hint'}
          aria-invalid=${problem === undefined ? nothing : 'true'}
          placeholder=${this.readOnly ? texts.composer.readOnly : texts.composer.placeholder(this.agent)}
          ?disabled=${this.readOnly}
          @input=${this.typed}
          @keydown=${this.press}
        ></textarea>
        ${
          this.running
            ? html`<button
                type="button"
                class="icon-button stop"
                aria-label=${texts.composer.stop}
                title=${texts.composer.stop}
                @click=${this.stop}
              >
                ${icons.stop}
              </button>`
            : nothing
        }
        <button
          type="submit"
          class="icon-button send"
          aria-label=${texts.composer.send}
          title=${texts.composer.send}
          ?disabled=${isEmpty || this.readOnly}
        >
          ${icons.send}
        </button>
      </div>
      <p class="faint hint" id="composer-hint">
        ${
          this.characters >= COUNT_FROM
            ? html`<span class="count"
                >${texts.composer.count(number.format(this.characters), number.format(MAX_CONTENT_LENGTH))}</span
              >`
            : texts.composer.hint.map((part) => html`<span>${part}</span>`)
        }
      </p>
    </form>`;
  }

  private renderPictures(): TemplateResult {
    return html`<ul class="pictures" aria-label=${texts.pictures.label}>
      ${this.pictures.map((picture) => {
        const name = picture.name || texts.pictures.untitled;
        const label = texts.pictures.remove(name);
        return html`<li aria-busy=${picture.attachment ? 'false' : 'true'}>
          <chat-media
            .files=${this.files}
            .source=${picture.file ?? picture.attachment?.media_id ?? ''}
            label=${name}
          ></chat-media>
          <span class="faint" role="status">${picture.attachment ? nothing : texts.pictures.uploading}</span>
          <button
            type="button"
            class="icon-button"
            aria-label=${label}
            title=${label}
            @click=${() => this.detach(picture)}
          >
            ${icons.close}
          </button>
        </li>`;
      })}
    </ul>`;
  }

  private choose(): void {
    this.dispatchEvent(new CustomEvent<readonly File[]>('attach', { detail: [...(this.chooser.files ?? [])] }));
    // So that the same file can be chosen again.
    this.chooser.value = '';
    this.focus();
  }

  private detach(picture: Picture): void {
    this.dispatchEvent(new CustomEvent<Picture>('detach', { detail: picture }));
    this.focus();
  }

  private describeFault(): string | undefined {
    if (this.fault?.kind === 'characters') return texts.composer.tooLong(number.format(this.fault.over));
    if (this.fault?.kind === 'bytes') return texts.composer.tooBig(number.format(this.fault.over));
    return this.notice === '' ? undefined : this.notice;
  }

  private typed(): void {
    this.measure();
    this.dispatchEvent(new CustomEvent<string>('typed', { detail: this.text }));
  }

  private measure(): void {
    this.characters = countCharacters(this.text);
    // Counting bytes takes long texts a while: only when they come near the limit.
    this.fault =
      this.characters < COUNT_FROM / 4 ? undefined : findTextFault(this.text, this.maxFrameBytes, this.pictures.length);
    if (!CSS.supports('field-sizing', 'content')) this.grow();
  }

  private grow(): void {
    this.area.style.height = 'auto';
    this.area.style.height = `${this.area.scrollHeight}px`;
  }

  private press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event) || isTouch.matches) return;
    event.preventDefault();
    this.submit(event);
  }

  private submit(event: Event): void {
    event.preventDefault();
    const fault = findTextFault(this.text, this.maxFrameBytes, this.pictures.length);
    this.fault = fault;
    if (!fault) this.dispatchEvent(new CustomEvent<string>('send', { detail: this.text }));
  }

  private stop(): void {
    this.dispatchEvent(new CustomEvent('stop'));
    this.focus();
  }
}

/** Whether the key belongs to an input method. Safari says so only by a key code that nothing else has. */
function isComposing(event: KeyboardEvent): boolean {
  // oxlint-disable-next-line typescript/no-deprecated -- see above
  return event.isComposing || event.keyCode === 229;
}

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { countCodePoints, MAX_CONTENT_LENGTH } from '../../client/index.js';
import { icons } from '../design/icons.js';
import type { Conversation } from '../model/conversation.js';
import type { MediaFiles } from '../model/media-files.js';
import { findTextFault, type TextFault } from '../model/message-limits.js';
import { texts } from '../texts.js';
import type { TrayFile } from './file-tray.js';
import { renderTray } from './tray.js';

/** The number of characters is shown from this length on. */
const COUNT_FROM = 60_000;

const number = new Intl.NumberFormat(undefined);

/** On touch screens Enter inserts a new line, as usual there, and the button sends. */
const isTouch = matchMedia('(pointer: coarse)');

/**
 * The message field. Dispatches `send` with a checked text (and keeps it: the owner sets {@link text}), `typed` on each
 * change, `attach` with chosen files, `detach` with a file to remove, `retry` with one to upload again, `trouble` with a
 * note when no voice can be recorded, and `stop`.
 */
@customElement('chat-composer')
export class ChatComposer extends LitElement {
  @property() agent = '';
  @property({ type: Number }) maxFrameBytes = 0;
  /** True while a reply is running that can be stopped. */
  @property({ type: Boolean }) running = false;
  @property({ type: Boolean }) readOnly = false;
  /** A note of the page about writing. */
  @property() notice = '';
  /** The conversation of the message. */
  @property({ attribute: false }) conversation: Conversation | undefined;
  /** The files of the message. */
  @property({ attribute: false }) tray: readonly TrayFile[] = [];
  /** The media types that the gateway accepts; any when empty. */
  @property({ attribute: false }) types: readonly string[] = [];
  /** The gateway's files, from which those of a message that was put back are read. */
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

  /** Focuses the field unless that would open an on-screen keyboard. */
  invite(): void {
    if (!isTouch.matches) this.focus();
  }

  protected override render(): TemplateResult {
    const problem = this.describeFault();
    // No white space around it: an alert without text must be empty.
    const trouble = problem === undefined ? nothing : html`<p class="trouble" id="composer-problem">${problem}</p>`;
    return html`<form class="composer" @submit=${this.submit}>
      <div role="alert">${trouble}</div>
      ${renderTray(this.tray, this.files, {
        retry: (entry) => this.tell('retry', entry),
        remove: (entry) => {
          this.tell('detach', entry);
          this.focus();
        },
      })}
      <div class="writing">${this.renderChooser()}${this.renderArea(problem)}${this.renderButtons()}</div>
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

  private renderChooser(): TemplateResult {
    return html`<input
        type="file"
        accept=${this.types.length === 0 ? nothing : this.types.join(',')}
        multiple
        hidden
        @change=${this.choose}
      />
      <button
        type="button"
        class="icon-button"
        aria-label=${texts.files.attach}
        title=${texts.files.attach}
        ?disabled=${this.readOnly}
        @click=${() => this.chooser.click()}
      >
        ${icons.attach}
      </button>
      <chat-voice
        .conversation=${this.conversation}
        ?disabled=${this.readOnly}
        @trouble=${(event: CustomEvent<string>) => this.dispatchEvent(new CustomEvent<string>('trouble', { detail: event.detail }))}
      ></chat-voice>`;
  }

  private renderArea(problem: string | undefined): TemplateResult {
    return html`<textarea
      class=${this.fault?.kind === 'characters' ? 'over' : ''}
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
    ></textarea>`;
  }

  private renderButtons(): TemplateResult {
    const isEmpty = this.characters === 0 && this.tray.length === 0;
    const { stop, send } = texts.composer;
    if (this.running && isEmpty) {
      return html`<button type="button" class="icon-button stop" aria-label=${stop} title=${stop} @click=${this.stop}>
        ${icons.stop}
      </button>`;
    }
    return html`<button
      type="submit"
      class="icon-button send"
      aria-label=${send}
      title=${send}
      ?disabled=${isEmpty || this.readOnly}
    >
      ${icons.send}
    </button>`;
  }

  private tell(name: 'retry' | 'detach', detail: TrayFile): void {
    this.dispatchEvent(new CustomEvent<TrayFile>(name, { detail }));
  }

  private attach(detail: readonly File[]): void {
    this.dispatchEvent(new CustomEvent<readonly File[]>('attach', { detail }));
  }

  private choose(): void {
    this.attach([...(this.chooser.files ?? [])]);
    // Otherwise the same file could not be chosen again.
    this.chooser.value = '';
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
    this.characters = countCodePoints(this.text);
    // Counting bytes is slow for long texts, so it is done only near the limit.
    this.fault =
      this.characters < COUNT_FROM / 4 ? undefined : findTextFault(this.text, this.maxFrameBytes, this.tray.length);
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
    const fault = findTextFault(this.text, this.maxFrameBytes, this.tray.length);
    this.fault = fault;
    if (!fault) this.dispatchEvent(new CustomEvent<string>('send', { detail: this.text }));
  }

  private stop(): void {
    this.dispatchEvent(new CustomEvent('stop'));
    this.focus();
  }
}

/** Returns true when the key belongs to an input method. Safari reports that only through a key code. */
function isComposing(event: KeyboardEvent): boolean {
  // oxlint-disable-next-line typescript/no-deprecated -- see above
  return event.isComposing || event.keyCode === 229;
}

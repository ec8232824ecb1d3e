import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { icons } from '../design/icons.js';
import type { Conversation } from '../model/conversation.js';
import { texts } from '../texts.js';

/** Formats that gateways accept and browsers record, best first, with the ending of a file name. */
const FORMATS = [
  ['audio/mp4', 'm4a'],
  ['audio/ogg;codecs=opus', 'ogg'],
] as const;

/** Longest recording, in milliseconds. */
const MAX_LENGTH_MS = 5 * 60_000;

/** A recorded file, and the conversation in which the recording began. */
export interface Recording {
  readonly file: File;
  readonly conversation: Conversation | undefined;
}

/**
 * Records a voice message; Escape or a button discards it. Dispatches `recorded` with a {@link Recording}, which bubbles, or `trouble`
 * with the reason why it cannot record.
 */
@customElement('chat-voice')
export class ChatVoice extends LitElement {
  @property({ type: Boolean }) disabled = false;
  /** The shown conversation. A recording ends when it changes. */
  @property({ attribute: false }) conversation: Conversation | undefined;
  @state() private seconds: number | undefined;
  #isAsking = false;
  #recorder: MediaRecorder | undefined;
  #isDiscarded = false;
  readonly #press = (event: KeyboardEvent) => this.press(event);
  #timers: ReturnType<typeof setTimeout>[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#recorder?.stop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('conversation')) this.#recorder?.stop();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!findFormat()) return nothing;
    const isRecording = this.seconds !== undefined;
    const label = isRecording ? texts.voice.stop : texts.voice.record;
    return html`<button
        type="button"
        class="icon-button ${isRecording ? 'recording' : ''}"
        aria-label=${label}
        title=${label}
        aria-pressed=${isRecording ? 'true' : 'false'}
        ?disabled=${this.disabled}
        @click=${() => (isRecording ? this.#recorder?.stop() : void this.record())}
      >
        ${isRecording ? icons.stop : icons.voice}${isRecording ? html`<span>${this.seconds} s</span>` : nothing}</button
      >${isRecording ? this.renderDiscard() : nothing}`;
  }

  private renderDiscard(): TemplateResult {
    const label = texts.voice.discard;
    return html`<button
      type="button"
      class="icon-button"
      aria-label=${label}
      title=${label}
      @click=${() => this.discard()}
    >
      ${icons.close}
    </button>`;
  }

  private discard(): void {
    this.#isDiscarded = true;
    this.#recorder?.stop();
  }

  private press(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.discard();
  }

  private async record(): Promise<void> {
    const format = findFormat();
    const { conversation } = this;
    if (!format || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      // The page may be gone, or show something else, when the person allows it.
      if (this.isConnected && conversation === this.conversation) this.start(stream, format);
      else release(stream);
    } catch {
      this.dispatchEvent(new CustomEvent<string>('trouble', { detail: texts.voice.refused }));
    } finally {
      this.#isAsking = false;
    }
  }

  private start(stream: MediaStream, [type, ending]: (typeof FORMATS)[number]): void {
    const parts: Blob[] = [];
    const { conversation } = this;
    const recorder = new MediaRecorder(stream, { mimeType: type });
    this.#recorder = recorder;
    this.#isDiscarded = false;
    // Before anything else on the page that the key would close or stop.
    document.addEventListener('keydown', this.#press, { capture: true });
    recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
    recorder.addEventListener('stop', () => {
      release(stream);
      this.#recorder = undefined;
      document.removeEventListener('keydown', this.#press, { capture: true });
      for (const timer of this.#timers) clearTimeout(timer);
      this.seconds = undefined;
      const name = `${texts.voice.name}.${ending}`;
      const file = new File(parts, name, { type: type.split(';', 1)[0] ?? type });
      const detail = { file, conversation };
      if (this.isConnected && !this.#isDiscarded)
        this.dispatchEvent(new CustomEvent<Recording>('recorded', { detail, bubbles: true }));
    });
    recorder.start();
    this.seconds = 0;
    const tick = setInterval(() => (this.seconds = (this.seconds ?? 0) + 1), 1_000);
    this.#timers = [tick, setTimeout(() => recorder.stop(), MAX_LENGTH_MS)];
  }
}

/** Switches the microphone off. */
function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Returns a format that this browser records; undefined where it cannot record, or the page is not secure. */
function findFormat(): (typeof FORMATS)[number] | undefined {
  if (typeof MediaRecorder === 'undefined' || !('mediaDevices' in navigator)) return undefined;
  return FORMATS.find(([type]) => MediaRecorder.isTypeSupported(type));
}

import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { texts } from '../texts.js';

/** The time until something ends, by the clock of the gateway. */
@customElement('chat-countdown')
export class ChatCountdown extends LitElement {
  /** Unix milliseconds. */
  @property({ type: Number }) until = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), 1_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override render(): TemplateResult {
    return html`${describeRest(Math.ceil((this.until - gatewayClock.now()) / 1_000))}`;
  }
}

function describeRest(seconds: number): string {
  if (seconds <= 0) return texts.tool.ended;
  const minutes = Math.floor(seconds / 60);
  const rest = texts.tool.seconds(seconds % 60);
  return texts.tool.endsIn(minutes === 0 ? rest : `${texts.tool.minutes(minutes)} ${rest}`);
}

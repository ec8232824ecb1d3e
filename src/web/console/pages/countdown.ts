import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import { formatDuration } from '../format.js';
import { ticks } from '../ticker.js';

/** The time until something ends, by the clock of the gateway, to the second. */
@customElement('console-countdown')
export class ConsoleCountdown extends LitElement {
  /** Unix milliseconds. */
  @property({ type: Number }) until = 0;
  #stop: (() => void) | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = ticks.subscribe(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }

  protected override render(): TemplateResult {
    const rest = this.until - gatewayClock.now();
    return html`<span class="countdown"
      >${rest <= 0 ? 'time is over' : `ends in ${formatDuration(toSeconds(rest))}`}</span
    >`;
  }
}

/** Rounds up to whole seconds: tenths would flicker. */
function toSeconds(ms: number): number {
  return Math.max(Math.ceil(ms / 1_000), 1) * 1_000;
}

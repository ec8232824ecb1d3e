import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { formatClock, formatDuration, formatExact, formatRelative, NOTHING } from './format.js';
import { gatewayClock } from '../model/gateway-clock.js';
import { settings } from './own-settings.js';
import { ticks } from './ticker.js';

/**
 * A time: relative, with the exact one in a tooltip, on focus too when it can have it; or `clock`, or `exact`; or, as
 * `running`, the duration since then. It is written again each second, and when the person chooses another zone.
 */
@customElement('console-time')
export class ConsoleTime extends LitElement {
  /** Unix milliseconds; undefined for none. */
  @property({ type: Number }) at: number | undefined;
  @property() as: 'relative' | 'clock' | 'exact' | 'running' = 'relative';
  #stop: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = [
      ticks.subscribe(() => {
        if (this.as === 'relative' || this.as === 'running') this.requestUpdate();
      }),
      settings.changed.subscribe(() => this.requestUpdate()),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stop) stop();
  }

  protected override render(): TemplateResult {
    const { at } = this;
    if (at === undefined) return html`${NOTHING}`;
    const exact = formatExact(at, settings.zone);
    return html`<time datetime=${new Date(at).toISOString()} title=${exact}>${this.write(at, exact)}</time>`;
  }

  private write(at: number, exact: string): string {
    if (this.as === 'exact') return exact;
    if (this.as === 'clock') return formatClock(at, settings.zone);
    const now = gatewayClock.now();
    return this.as === 'running' ? formatDuration(Math.max(0, now - at)) : formatRelative(at, now);
  }
}

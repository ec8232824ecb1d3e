import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ref } from 'lit/directives/ref.js';
import { icons } from '../design/icons.js';
import { tabStop } from '../design/tab-stop.js';
import { texts } from '../texts.js';
import type { DiagramFailure, Drawing } from './diagram-frame.js';

/** The factor of a press of a zoom button, and the largest and smallest size. */
const ZOOM_STEP = 1.25;
const ZOOM = { min: 0.5, max: 4 };

const isDark = matchMedia('(prefers-color-scheme: dark)');

/** A finished diagram: its picture, or its source with the reason why there is none. */
@customElement('chat-diagram')
export class ChatDiagram extends LitElement {
  @property() code = '';
  @state() private drawing: Drawing | undefined;
  @state() private failure: DiagramFailure | undefined;
  @state() private showsSource = false;
  @state() private zoom = 1;
  readonly #themeChanged = () => void this.draw();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    isDark.addEventListener('change', this.#themeChanged);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    isDark.removeEventListener('change', this.#themeChanged);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('code')) void this.draw();
  }

  protected override render(): TemplateResult {
    const { drawing, failure, showsSource, code } = this;
    if (!drawing || showsSource) {
      return html`${failure === undefined ? nothing : html`<p class="state warn">${icons.warning}${texts.diagram.failures[failure]}</p>`}
        <chat-code .code=${code} language="mermaid"></chat-code>
        ${drawing ? this.renderSwitch(texts.diagram.picture) : nothing}`;
    }
    const { address, width, height } = drawing;
    return html`<figure class="diagram">
      <div ${ref(tabStop)} class="diagram-box">
        <img
          src=${address}
          alt=${texts.diagram.label}
          width=${Math.round(width * this.zoom)}
          height=${Math.round(height * this.zoom)}
          class=${this.zoom === 1 ? 'fits' : ''}
        />
      </div>
      <figcaption>
        ${this.renderZoom(texts.diagram.smaller, '−', 1 / ZOOM_STEP)}${this.renderZoom(texts.diagram.larger, '+', ZOOM_STEP)}${this.renderSwitch(texts.diagram.source)}
      </figcaption>
    </figure>`;
  }

  private renderSwitch(label: string): TemplateResult {
    return html`<button type="button" class="quiet" @click=${() => (this.showsSource = !this.showsSource)}>
      ${label}
    </button>`;
  }

  private renderZoom(label: string, sign: string, factor: number): TemplateResult {
    const zoom = Math.min(ZOOM.max, Math.max(ZOOM.min, this.zoom * factor));
    return html`<button
      type="button"
      class="quiet"
      aria-label=${label}
      title=${label}
      ?disabled=${zoom === this.zoom}
      @click=${() => (this.zoom = Math.abs(zoom - 1) < 0.01 ? 1 : zoom)}
    >
      ${sign}
    </button>`;
  }

  private async draw(): Promise<void> {
    const { code } = this;
    const outcome = await import('./diagram-frame.js').then(
      ({ drawDiagram }) => drawDiagram(code, isDark.matches),
      () => 'unloaded' as const,
    );
    if (code !== this.code) return;
    this.failure = typeof outcome === 'string' ? outcome : undefined;
    if (typeof outcome !== 'string') this.drawing = outcome;
  }
}

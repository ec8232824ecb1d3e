import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { download } from '../../design/download.js';
import { icons } from '../../design/icons.js';
import { describeError } from '../failure.js';
import { formatCount, formatExact } from '../format.js';
import { settings } from '../own-settings.js';
import { ConsolePage } from '../page.js';
import { consoleTexts } from '../texts.js';
import { LOG_LEVELS, SUBSYSTEMS } from './api-names.js';
import './filters.js';
import { readFilters, type FilterField } from './filters.js';
import './log-levels.js';
import { LogSource } from './log-source.js';
import { LogTail, type LogLine } from './log-tail.js';
import './pages.css';
import { renderJson, renderText } from './parts.js';

const FILTERS: readonly FilterField[] = [
  { name: 'q', label: 'Search lines', type: 'search' },
  { name: 'subsystem', label: 'Subsystem', options: SUBSYSTEMS },
  { name: 'level', label: 'At least', options: LOG_LEVELS },
];

/** Distance from the end within which the tail is at its end, in pixels. */
const END_PIXELS = 24;

/** The log, line by line. Scrolling up pauses it, with a note. A hidden page does not read. */
@customElement('console-logs')
export class ConsoleLogs extends ConsolePage {
  @state() private error: unknown;
  @state() private isLoading = true;
  @state() private isOpen = true;
  @query('.log') private readonly box!: HTMLElement | null;
  private readonly tail = new LogTail();
  private source!: LogSource;
  private shownFilters = '';
  /** True while lines are drawn: the scrolling that comes of it is not the person's. */
  private isAtEnd = true;

  override connectedCallback(): void {
    super.connectedCallback();
    this.source = new LogSource(this.app.api, {
      take: (lines, isGap) => this.take(lines, isGap),
      changed: (isOpen) => (this.isOpen = isOpen),
    });
    const toggle = () => (document.visibilityState === 'visible' ? this.source.follow() : this.source.rest());
    document.addEventListener('visibilitychange', toggle);
    this.stops.push(
      () => document.removeEventListener('visibilitychange', toggle),
      settings.changed.subscribe(() => this.requestUpdate()),
      () => this.source.stop(),
    );
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const filters = JSON.stringify(readFilters(FILTERS, this.place));
    if (filters === this.shownFilters) return;
    this.shownFilters = filters;
    void this.begin();
  }

  protected override firstUpdated(): void {
    this.entitle('Logs');
  }

  protected override updated(): void {
    if (!this.tail.isPaused && this.box) this.box.scrollTop = this.box.scrollHeight;
  }

  override read(): void {
    void this.begin();
  }

  protected override render(): TemplateResult {
    const { shown } = this.tail;
    return html`<div class="tools">
        <console-filters .router=${this.app.router} .place=${this.place} .fields=${FILTERS}></console-filters>
        <span class="spring"></span>
        <button type="button" class="plain" ?disabled=${shown.length === 0} @click=${this.save}>
          ${icons.save}<span>Save these lines</span>
        </button>
      </div>
      <console-log-levels .app=${this.app}></console-log-levels>
      ${this.renderFailure()}
      <div class="log-place">
        <div class="log" role="log" aria-live="off" aria-label="Log lines" tabindex="0" @scroll=${this.scrolled}>
          ${shown.length === 0 ? this.renderNone() : nothing}
          ${repeat(
            shown,
            ({ id }) => id,
            (line) => guard([line, settings.zone], () => renderLine(line)),
          )}
        </div>
        ${this.renderPause()}
      </div>`;
  }

  private renderNone(): TemplateResult | typeof nothing {
    if (this.error !== undefined) return nothing;
    if (this.isLoading) return html`<p class="loading" role="status">${consoleTexts.list.loading}</p>`;
    const values = Object.values(readFilters(FILTERS, this.place));
    return html`<div class="empty">
      <p>${values.length === 0 ? 'No line was written yet.' : `No line matches ${values.join(', ')}.`}</p>
    </div>`;
  }

  private renderFailure(): TemplateResult | typeof nothing {
    if (this.error !== undefined)
      return html`<div class="trouble" role="alert">
        <p>${describeError(this.error)}</p>
        <button type="button" class="plain" @click=${() => this.read()}>${consoleTexts.list.tryAgain}</button>
      </div>`;
    if (this.isOpen || this.isLoading) return nothing;
    return html`<p class="trouble" role="status">The connection was lost. The lines go on once it is back.</p>`;
  }

  private renderPause(): TemplateResult | typeof nothing {
    const { isPaused, waiting } = this.tail;
    if (!isPaused) return nothing;
    const count = waiting === 1 ? '1 new line' : `${formatCount(waiting)} new lines`;
    return html`<div class="log-pause" role="status">
      <button type="button" class="main" @click=${this.resume}>
        <span>${waiting === 0 ? 'Paused. To the newest line' : `Paused. ${count}`}</span>${icons.down}
      </button>
    </div>`;
  }

  private async begin(): Promise<void> {
    this.tail.clear();
    this.isLoading = true;
    try {
      await this.source.begin(readFilters(FILTERS, this.place));
      this.error = undefined;
    } catch (error) {
      if (error instanceof DOMException) return;
      this.error = error;
    }
    this.isLoading = false;
  }

  private take(lines: readonly LogLine[], isGap: boolean): void {
    if (isGap) this.app.act.say('Lines are missing here: the gateway was restarted, or wrote too fast.');
    this.tail.add(lines);
    this.requestUpdate();
  }

  private readonly scrolled = (): void => {
    const { box, tail } = this;
    if (!box) return;
    const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - END_PIXELS;
    const wasAtEnd = this.isAtEnd;
    this.isAtEnd = isAtEnd;
    if (wasAtEnd === isAtEnd) return;
    if (isAtEnd) tail.resume();
    else tail.pause();
    this.requestUpdate();
  };

  private readonly resume = (): void => {
    this.tail.resume();
    this.isAtEnd = true;
    this.requestUpdate();
    this.box?.focus({ preventScroll: true });
  };

  private readonly save = (): void => {
    const text = this.tail.shown.map((line) => `${JSON.stringify(line)}\n`).join('');
    download('logs.jsonl', new Blob([text], { type: 'application/jsonl' }));
  };
}

/** Renders a line; opened, it shows what else the line says. */
function renderLine({ at, level, subsystem, message, replica, fields }: LogLine): TemplateResult {
  return html`<details class="line ${level}">
    <summary>
      <time datetime=${new Date(at).toISOString()}>${formatExact(at, settings.zone)}</time>
      <span class="level">${level}</span>
      <span class="subsystem">${subsystem}</span>
      <span class="message">${renderText(message)}</span>
    </summary>
    ${renderJson({ ...fields, replica })}
  </details>`;
}

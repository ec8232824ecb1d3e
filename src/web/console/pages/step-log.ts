import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ref } from 'lit/directives/ref.js';
import '../act.js';
import { tabStop } from '../../design/tab-stop.js';
import type { Api } from '../api.js';
import { findBarrier } from '../barrier.js';
import type { ConsoleContext } from '../context.js';
import { findPage } from '../page-table.js';
import type { LogLine } from './log-tail.js';
import { renderText } from './parts.js';
import { sessionTexts as texts } from './sessions.texts.js';

/** Lines of a page, and most pages that are read: the gateway keeps 10,000 lines. */
const PAGE_LENGTH = 200;
const MAX_PAGES = 50;
/** Most lines that are shown. */
const MAX_SHOWN = 200;

/** Reads the lines of the logs of a time, oldest first: the last 200 of them. Times are Unix milliseconds. @throws ApiError */
export async function readLinesOf(api: Pick<Api, 'page'>, from: number, to: number): Promise<readonly LogLine[]> {
  const found: LogLine[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const { items, next } = await api.page<LogLine>('/logs', { limit: PAGE_LENGTH }, cursor);
    found.push(...items.filter(({ at }) => at >= from && at <= to));
    const last = items.at(-1);
    if (next === undefined || found.length >= MAX_SHOWN || (last && last.at < from)) break;
    cursor = next;
  }
  return found.slice(0, MAX_SHOWN).reverse();
}

/** The lines that the gateway has logged during a step, on demand. Nothing for who may not read the logs. */
@customElement('console-step-log')
export class ConsoleStepLog extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  /** Unix milliseconds. */
  @property({ type: Number }) from = 0;
  @property({ type: Number }) to = 0;
  @state() private lines: readonly LogLine[] | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('from')) this.lines = undefined;
  }

  protected override render(): TemplateResult | typeof nothing {
    const page = findPage('logs');
    if (!page || findBarrier(page, this.app.me) !== undefined) return nothing;
    if (this.lines?.length === 0) return html`<p class="faint" role="status">${texts.noLines}</p>`;
    if (this.lines)
      return html`<ol class="step-log" ${ref(tabStop)}>
        ${this.lines.map(renderLine)}
      </ol>`;
    return html`<console-action
      .app=${this.app}
      look="quiet"
      scope="admin:read"
      .label=${texts.lines}
      .run=${async () => (this.lines = await readLinesOf(this.app.api, this.from, this.to))}
    ></console-action>`;
  }
}

function renderLine({ at, level, subsystem, message }: LogLine): TemplateResult {
  return html`<li class=${level}>
    <console-time as="clock" .at=${at}></console-time> ${level} ${subsystem} · ${renderText(message)}
  </li>`;
}

import { html, nothing, svg, type PropertyValues, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { download } from '../../design/download.js';
import { icons } from '../../design/icons.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import type { Page } from '../api.js';
import { formatCount, formatTokens, NOTHING } from '../format.js';
import { settings } from '../own-settings.js';
import { ConsolePage } from '../page.js';
import type { TableSource } from '../table.js';
import './filters.js';
import { readFilters, type FilterField } from './filters.js';
import { Loaded } from './loaded.js';
import './pages.css';
import { renderRows, renderSection, renderText } from './parts.js';
import { tenantColumn } from './tenant-column.js';
import { listDays, sumUsage, type UsageRow, type UsageSums } from './usage-days.js';

const FILTERS: readonly FilterField[] = [
  { name: 'by', label: 'By', options: ['tenant', 'agent', 'model', 'sender'], fallback: 'agent' },
  { name: 'from', label: 'From', type: 'time' },
  { name: 'to', label: 'To', type: 'time' },
];

/** The rows of the chosen time, and the sums of its days. */
interface Usage {
  readonly rows: readonly UsageRow[];
  readonly isCut: boolean;
  readonly days: readonly { readonly at: number; readonly sums: UsageSums }[];
}

/** Most rows that are read. */
const MAX_ROWS = 200;

/** The cost of models: bars by day, and the sums by tenant, agent, model or person. */
@customElement('console-usage')
export class ConsoleUsage extends ConsolePage {
  private readonly usage = new Loaded<Usage>(this, (signal) => this.load(signal));
  private shownFilters: string | undefined;

  protected override willUpdate(_changed: PropertyValues<this>): void {
    const filters = JSON.stringify(this.place.filters);
    if (filters === this.shownFilters) return;
    this.shownFilters = filters;
    void this.usage.read();
  }

  protected override firstUpdated(): void {
    this.entitle('Usage');
    this.stops.push(settings.changed.subscribe(() => this.read()));
  }

  override read(): void {
    void this.usage.read();
  }

  private get by(): string {
    return this.place.filters['by'] ?? 'agent';
  }

  protected override render(): TemplateResult {
    return html`<div class="tools">
        <console-filters .router=${this.app.router} .place=${this.place} .fields=${FILTERS}></console-filters>
        <span class="spring"></span>
        <button type="button" class="plain" ?disabled=${this.usage.value === undefined} @click=${this.save}>
          ${icons.save}<span>Export</span>
        </button>
      </div>
      ${this.usage.render((usage) => this.renderUsage(usage))}`;
  }

  private async load(signal: AbortSignal): Promise<Usage> {
    const { from, to } = readFilters(FILTERS, this.place);
    const { api } = this.app;
    const days = listDays(from, to, gatewayClock.now(), settings.zone);
    const [first, last] = [days[0], days.at(-1)];
    const range = { from: first?.from, to: last?.to };
    const [page, ...sums] = await Promise.all([
      api.get<Page<UsageRow>>('/usage', { by: this.by, ...range, limit: MAX_ROWS }, signal),
      ...days.map((day) =>
        api.get<Page<UsageRow>>('/usage', { by: 'tenant', from: day.from, to: day.to, limit: MAX_ROWS }, signal),
      ),
    ]);
    return {
      rows: page.items,
      isCut: page.next !== undefined,
      days: days.map(({ from: at }, i) => ({ at, sums: sumUsage(sums[i]?.items ?? []) })),
    };
  }

  private renderUsage({ rows, days, isCut }: Usage): TemplateResult {
    const total = sumUsage(days.map(({ sums }) => sums));
    const cost = total.cost > 0 ? ` · cost ${formatCost(total.cost)}` : '';
    return html`${renderSection(
      'By day',
      html`<p>
          ${formatTokens(total.input_tokens)} tokens in · ${formatTokens(total.output_tokens)} out ·
          ${formatCount(total.answers)} answers of models${cost}
        </p>
        ${renderBars(days)}`,
    )}
    ${renderSection(
      `By ${wordOf(this.by)}`,
      html`${renderRows(this.describeRows(), rows, 'No model was used in this time.')}
      ${isCut ? html`<p class="faint">Only the first ${MAX_ROWS} are shown.</p>` : nothing}`,
    )}`;
  }

  private describeRows(): TableSource<UsageRow> {
    const { by } = this;
    const number = (head: string, cell: (row: UsageRow) => string, phone?: 'side' | 'second' | 'end') => ({
      ...{ head, cell, width: '6rem', isNumber: true },
      ...(phone && { phone }),
    });
    return {
      label: 'Usage',
      keyOf: (row) => `${row.tenant} ${nameOf(row, by)}`,
      columns: [
        { head: wordOf(by), width: 'minmax(9rem, 3fr)', phone: 'main', cell: (row) => renderText(nameOf(row, by)) },
        ...(by === 'tenant' ? [] : tenantColumn(this.app)),
        number('Answers', ({ answers }) => formatCount(answers)),
        number('Tokens in', ({ input_tokens }) => formatTokens(input_tokens), 'side'),
        number('Cached', ({ cached_input_tokens }) => formatTokens(cached_input_tokens)),
        number('Tokens out', ({ output_tokens }) => formatTokens(output_tokens), 'end'),
        number('Cost', ({ cost }) => (cost > 0 ? formatCost(cost) : NOTHING), 'second'),
      ],
    };
  }

  private readonly save = (): void => {
    const rows = this.usage.value?.rows ?? [];
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    download(`usage-by-${this.by}.jsonl`, new Blob([text], { type: 'application/jsonl' }));
  };
}

/** Renders the tokens of each day as a bar, with a sentence for readers. */
function renderBars(days: Usage['days']): TemplateResult {
  const tokens = days.map(({ sums }) => sums.input_tokens + sums.output_tokens);
  const most = Math.max(1, ...tokens);
  const format = new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(settings.zone === 'utc' && { timeZone: 'UTC' }),
  });
  const sentence = days.map(({ at }, i) => `${format.format(at)}: ${formatTokens(tokens[i])} tokens`).join('; ');
  return html`<div class="usage-bars">
    <svg role="img" aria-label=${sentence} viewBox="0 0 ${days.length * 10} 40" preserveAspectRatio="none">
      ${tokens.map((count, i) => {
        const height = count === 0 ? 0 : Math.max(0.5, (count / most) * 40);
        return svg`<rect x=${i * 10 + 1} y=${40 - height} width="8" height=${height}></rect>`;
      })}
    </svg>
    <div class="usage-axis" aria-hidden="true">
      <span>${format.format(days[0]?.at)}</span><span>${formatTokens(most)} at most</span
      ><span>${format.format(days.at(-1)?.at)}</span>
    </div>
  </div>`;
}

function wordOf(by: string): string {
  return by === 'sender' ? 'person' : by;
}

function nameOf(row: UsageRow, by: string): string {
  if (by === 'sender') return [row.channel, row.sender].filter((part) => part !== undefined).join(' · ');
  const name = { tenant: row.tenant, agent: row.agent, model: row.model }[by];
  return name ?? NOTHING;
}

function formatCost(cost: number): string {
  return cost.toFixed(cost < 1 ? 4 : 2);
}

import { html, nothing, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { download } from '../../design/download.js';
import { icons } from '../../design/icons.js';
import '../act.js';
import type { Page, Query } from '../api.js';
import { formatCount } from '../format.js';
import { renderChip } from '../state-chip.js';
import { consoleTexts } from '../texts.js';
import type { FilterField } from './filters.js';
import { ListPage, type ListDescription } from './list-page.js';
import { Loaded } from './loaded.js';
import { renderDiff, renderText, renderTime } from './parts.js';

/** A row of the audit trail. */
interface AuditRow {
  readonly entry: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly tenant: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly person?: { readonly channel: string; readonly sender: string };
  readonly before: unknown;
  readonly after: unknown;
  readonly hash: string;
}

/** The result of a check of the whole trail. */
interface Verdict {
  readonly ok: boolean;
  readonly head: { readonly entry: number; readonly hash: string };
  readonly oldest?: number;
  readonly broken_at?: number;
  readonly fault?: string;
}

const FILTERS: readonly FilterField[] = [
  { name: 'actor', label: 'Who' },
  { name: 'action', label: 'Action' },
  { name: 'from', label: 'From', type: 'time' },
  { name: 'to', label: 'To', type: 'time' },
];

/** Who changed what. A link to one row has its time as the filter, and its number in the fragment. */
@customElement('console-audit')
export class ConsoleAudit extends ListPage<AuditRow> {
  private readonly verdict = new Loaded<Verdict>(this, (signal) => this.app.api.get('/audit/verify', {}, signal));

  /** The rows that were read, by entry: one that a link names is shown whole. */
  private readonly rows = new Map<string, AuditRow>();

  protected override describe(): ListDescription<AuditRow> {
    return {
      title: 'Audit',
      load: (query, signal) => this.load(query, signal),
      keyOf: ({ entry }) => String(entry),
      linkOf: ({ entry, at }) => this.linkTo(entry, at),
      filters: this.app.me.isOfAllTenants ? [...FILTERS, { name: 'tenant', label: 'Tenant' }] : FILTERS,
      columns: [
        { head: 'Entry', width: '5rem', cell: ({ entry }) => entry },
        { head: 'When', width: '15rem', phone: 'second', cell: ({ at }) => renderTime(at, 'exact') },
        { head: 'Who', width: 'minmax(7rem, 1fr)', phone: 'side', cell: ({ actor }) => renderText(actor) },
        { head: 'Action', width: 'minmax(8rem, 1fr)', phone: 'main', cell: ({ action }) => action },
        {
          head: 'What',
          width: 'minmax(8rem, 2fr)',
          phone: 'end',
          cell: ({ target }) => html`<span title=${toVisibleText(target)}>${renderText(target)}</span>`,
        },
        { head: 'Tenant', width: '6rem', cell: ({ tenant }) => renderText(tenant) },
      ],
      empty: { sentence: 'Nothing was changed yet.' },
    };
  }

  protected override firstUpdated(): void {
    super.firstUpdated();
    if (this.mayVerify) void this.verdict.read();
  }

  protected override renderTools(): TemplateResult {
    return html`<console-action
      .app=${this.app}
      scope="audit:read"
      label="Export"
      .icon=${icons.save}
      .run=${() => this.export()}
    ></console-action>`;
  }

  protected override render(): TemplateResult {
    const { allTenants } = consoleTexts.closed;
    const verdict = this.mayVerify
      ? this.verdict.render(renderVerdict)
      : html`<p class="faint">The chain of all entries is checked here. ${allTenants}.</p>`;
    return html`<div class="verdict" role="status">${verdict}</div>
      ${super.render()}`;
  }

  /** The chain has the entries of all tenants. */
  private get mayVerify(): boolean {
    return this.app.me.maySeeWhole;
  }

  protected override renderBelow(): TemplateResult | typeof nothing {
    const row = this.rows.get(this.place.fragment);
    if (!row) return nothing;
    return html`<section class="section" aria-label="Entry ${row.entry}">
      <h2>Entry ${row.entry}: ${row.action} of ${renderText(row.target)} by ${renderText(row.actor)}</h2>
      ${renderDiff(row.before, row.after)}
      <p class="faint">Hash <code>${row.hash}</code></p>
    </section>`;
  }

  private async load(query: Query, signal: AbortSignal): Promise<Page<AuditRow>> {
    const page = await this.app.api.get<Page<AuditRow>>('/audit', query, signal);
    for (const row of page.items) this.rows.set(String(row.entry), row);
    this.requestUpdate();
    return page;
  }

  private linkTo(entry: number, at: number): string {
    const filters = { from: String(at), to: String(at + 1) };
    return this.app.router.link({ page: 'audit', filters, fragment: String(entry) });
  }

  private async export(): Promise<void> {
    const query = Object.fromEntries(FILTERS.map(({ name }) => [name, this.place.filters[name]]));
    const response = await this.app.api.open('/audit/export', query);
    download('audit.jsonl', await response.blob());
  }
}

function renderVerdict({ ok, head, oldest, broken_at: brokenAt, fault }: Verdict): TemplateResult {
  if (ok)
    return html`<p>
      ${renderChip(icons.done, 'good', 'The chain is intact')}
      <span class="faint">
        ${head.entry === 0 ? 'no entry yet' : `entries ${formatCount(oldest ?? 1)} to ${formatCount(head.entry)}, unchanged and in order`}
      </span>
    </p>`;
  return html`<p>
    ${renderChip(icons.failed, 'bad', 'The chain is broken')}
    <span>entry ${formatCount(brokenAt)} is ${fault}</span>
  </p>`;
}

import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Page, Query } from '../api.js';
import '../list.js';
import type { Column, ListSource } from '../list.js';
import type { ListModel } from '../list-model.js';
import type { LiveEvent, LiveKind } from '../live.js';
import { ConsolePage } from '../page.js';
import './filters.js';
import { listChips, readFilters, type FilterField } from './filters.js';
import './pages.css';

/** The description of a page with a list. */
export interface ListDescription<Row> {
  /** The heading, and the name of the list for screen readers. */
  readonly title: string;
  /** Reads a page of rows. @param query the filters and the cursor */
  readonly load: (query: Query, signal: AbortSignal) => Promise<Page<Row>>;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly linkOf?: (row: Row) => string | undefined;
  readonly filters?: readonly FilterField[];
  readonly empty: ListSource<Row>['empty'];
  readonly canCheck?: boolean;
  /** The events that change the rows, and how. */
  readonly live?: {
    readonly kinds: readonly LiveKind[];
    readonly take: (event: LiveEvent, model: ListModel<Row>) => void;
  };
}

/** A page that is a list with filters. What it lists is its description; what else it shows stands around the list. */
export abstract class ListPage<Row> extends ConsolePage {
  private source: ListSource<Row> | undefined;
  private description!: ListDescription<Row>;
  private filtersOfSource = '';

  protected abstract describe(): ListDescription<Row>;

  /** Renders what stands above the list, such as a command for a new thing. */
  protected renderTools(): TemplateResult | typeof nothing {
    return nothing;
  }

  /** Renders what concerns the rows that are checked. */
  protected renderBelow(): TemplateResult | typeof nothing {
    return nothing;
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    this.description ??= this.describe();
    const filters = JSON.stringify(this.place.filters);
    if (this.source && filters === this.filtersOfSource) return;
    this.filtersOfSource = filters;
    this.source = this.makeSource();
  }

  protected override firstUpdated(): void {
    const { live } = this.description;
    if (!live) return;
    this.follow(
      live.kinds,
      (event) => {
        const model = this.list?.model as ListModel<Row> | undefined;
        model?.whenRead(() => live.take(event, model));
      },
      () => this.read(),
    );
  }

  /** A thing of the list, which is shown in its place, has a heading of its own. */
  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('place') && this.place.ids.length === 0) this.entitle(this.description.title);
  }

  protected override render(): TemplateResult {
    const { filters = [] } = this.description;
    return html`<div class="tools">
        ${
          filters.length === 0
            ? nothing
            : html`<console-filters
                .router=${this.app.router}
                .place=${this.place}
                .fields=${filters}
              ></console-filters>`
        }
        <span class="spring"></span>
        ${this.renderTools()}
      </div>
      <console-list .source=${this.source} @check=${() => this.requestUpdate()}></console-list>
      ${this.renderBelow()}`;
  }

  private makeSource(): ListSource<Row> {
    const { router } = this.app;
    const { title, load, filters = [], empty, columns, keyOf, linkOf, canCheck } = this.description;
    const query = readFilters(filters, this.place);
    return {
      ...{ label: title, empty, columns, keyOf },
      ...(linkOf && { linkOf }),
      ...(canCheck && { canCheck }),
      load: (cursor, signal) => load({ ...query, cursor }, signal),
      chips: listChips(filters, this.place, router),
      clear: () => router.filter(Object.fromEntries(filters.map(({ name }) => [name, '']))),
    };
  }
}

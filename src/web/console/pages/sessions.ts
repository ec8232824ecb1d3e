import { html, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import '../list.js';
import { icons } from '../../design/icons.js';
import { lazyPart } from '../../design/lazy-part.js';
import { gatewayClock } from '../../model/gateway-clock.js';
import type { Page, Query } from '../api.js';
import { formatAge, formatCount } from '../format.js';
import type { FilterChip } from '../chips.js';
import type { Column, ListSource } from '../list.js';
import type { LiveEvent } from '../live.js';
import { ConsolePage } from '../page.js';
import { Refresher } from '../refresher.js';
import { renderState } from '../state-chip.js';
import { readTurns, sessionOf, stateOfSession, type Turns } from './activity.js';
import { renderText } from './parts.js';
import { nameSession, type ListedSessionRow } from './session-row.js';
import { sessionTexts as texts } from './sessions.texts.js';
import { tenantColumn } from './tenant-column.js';

const loadSession = lazyPart(() => import('./session.js'));

/** The filters of the list, named as in the API. */
const FILTERS = ['q', 'channel', 'mode', 'participant', 'active_since'] as const;

const MODES = ['main', 'group', 'queue'] as const;

/** Interval between two reads of what is listed, in milliseconds. */
const READ_INTERVAL_MS = 1_000;

/** Rows of a page when they are read again. */
const PAGE_LENGTH = 200;

/** Which conversation? A list with filters, or one conversation at `/sessions/ID`. */
@customElement('console-sessions')
export class ConsoleSessions extends ConsolePage {
  @state() private source: ListSource<ListedSessionRow> | undefined;
  private turns: Turns = new Map();
  private readonly refresher = new Refresher(() => this.refresh(), READ_INTERVAL_MS);

  protected override firstUpdated(): void {
    this.stops.push(() => this.refresher.stop());
    this.follow(
      ['message', 'turn', 'approval'],
      (event) => this.take(event),
      () => this.read(),
    );
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('place')) return;
    const id = this.place.ids[0];
    if (id !== undefined) return loadSession();
    this.source = this.describeList();
    this.entitle(texts.list);
  }

  protected override render(): TemplateResult {
    const id = this.place.ids[0];
    if (id !== undefined) return html`<console-session .app=${this.app} .place=${this.place}></console-session>`;
    return html`${this.renderFilters()}<console-list .source=${this.source}></console-list>`;
  }

  override read(): void {
    super.read();
    this.querySelector<ConsolePage>('console-session')?.read();
    this.refresher.ask();
  }

  private renderFilters(): TemplateResult {
    const { q = '', mode = '', sort = 'created_at', active_since: since = '' } = this.place.filters;
    const { router } = this.app;
    const choose = (name: string) => (event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      router.filter({ [name]: value });
    };
    const isSet = since !== '';
    return html`<div class="filters" role="search">
      <label class="search">
        ${icons.search}<span class="visually-hidden">${texts.search}</span>
        <input
          type="search"
          class="field"
          data-search
          placeholder=${texts.search}
          .value=${q}
          @input=${({ target }: Event) => router.filter({ q: (target as HTMLInputElement).value }, 'replace')}
        />
      </label>
      <label
        >${texts.mode}
        <select class="field" .value=${mode} @change=${choose('mode')}>
          <option value="">${texts.anyMode}</option>
          ${MODES.map((each) => html`<option value=${each} ?selected=${each === mode}>${each}</option>`)}
        </select></label
      >
      <label
        >${texts.activeSince}
        <select
          class="field"
          @change=${({ target }: Event) => {
            const age = Number((target as HTMLSelectElement).value);
            router.filter({ active_since: age === 0 ? '' : String(gatewayClock.now() - age) });
          }}
        >
          ${isSet ? html`<option selected value=${since}>${texts.chips.active_since(this.ageOf(since))}</option>` : ''}
          ${texts.since.map(([age, word]) => html`<option value=${age}>${word}</option>`)}
        </select></label
      >
      <label
        >${texts.sort}
        <select class="field" @change=${choose('sort')}>
          ${Object.entries(texts.sorts).map(
            ([name, word]) => html`<option value=${name} ?selected=${name === sort}>${word}</option>`,
          )}
        </select></label
      >
    </div>`;
  }

  private describeList(): ListSource<ListedSessionRow> {
    const { router } = this.app;
    return {
      label: texts.list,
      keyOf: ({ id }) => id,
      linkOf: ({ id }) => router.link({ page: 'sessions', ids: [id] }),
      empty: { sentence: texts.empty, command: texts.emptyCommand },
      chips: this.listChips(),
      clear: () => router.go(router.link({ page: 'sessions' })),
      load: async (cursor, signal) => {
        const [page] = await Promise.all([
          this.readPage({}, cursor, signal),
          cursor === undefined ? this.readTurns(signal) : undefined,
        ]);
        return page;
      },
      columns: this.describeColumns(),
    };
  }

  private describeColumns(): readonly Column<ListedSessionRow>[] {
    const { columns } = texts;
    return [
      {
        head: columns.who,
        width: 'minmax(9rem, 3fr)',
        phone: 'main',
        cell: (row) => renderText(nameSession(row)),
      },
      ...tenantColumn(this.app),
      {
        head: columns.state,
        width: 'minmax(6rem, 1fr)',
        phone: 'side',
        cell: (row) => renderState(stateOfSession(row, this.turns.get(row.id), gatewayClock.now())),
      },
      { head: columns.channel, width: 'minmax(5rem, 1fr)', phone: 'second', cell: ({ channel }) => channel },
      { head: columns.agent, width: 'minmax(5rem, 1fr)', cell: ({ agent }) => agent },
      {
        head: columns.waiting,
        width: '4.5rem',
        isNumber: true,
        cell: ({ waiting }) => formatCount(waiting || undefined),
      },
      {
        head: columns.lastActive,
        width: '7rem',
        isNumber: true,
        phone: 'end',
        cell: ({ last_active: at }) => html`<console-time .at=${at}></console-time>`,
      },
    ];
  }

  private listChips(): readonly FilterChip[] {
    const { filters } = this.place;
    return FILTERS.flatMap((name) => {
      const value = filters[name];
      if (value === undefined) return [];
      const label = texts.chips[name](name === 'active_since' ? this.ageOf(value) : value);
      return [{ label, remove: () => this.app.router.filter({ [name]: '' }) }];
    });
  }

  private ageOf(since: string): string {
    return formatAge(gatewayClock.now() - Number(since));
  }

  private take(event: LiveEvent): void {
    const id = sessionOf(event);
    const model = this.list?.model;
    if (id === undefined || !model) return;
    model.whenRead(() => {
      const isKnown = model.change(id, (row: ListedSessionRow) => ({ ...row, last_active: gatewayClock.now() }));
      // With filters it is not known whether it would be listed.
      const isFiltered = FILTERS.some((name) => this.place.filters[name] !== undefined);
      if (!isKnown && !isFiltered && event.kind === 'message') model.announce(id);
    });
    this.refresher.ask();
  }

  private readPage(more: Query, cursor: string | undefined, signal: AbortSignal): Promise<Page<ListedSessionRow>> {
    const { filters } = this.place;
    const query = Object.fromEntries([...FILTERS, 'sort'].map((name) => [name, filters[name]]));
    return this.app.api.page('/sessions', { ...query, ...more }, cursor, signal);
  }

  /** Without their turns it is known which conversations run, and not at which step. */
  private async readTurns(signal?: AbortSignal): Promise<void> {
    this.turns = await readTurns(this.app.api, signal).catch(() => this.turns);
  }

  /** Reads again what goes on in the conversations that are listed. */
  private async refresh(): Promise<void> {
    await this.readTurns();
    await this.list?.model.refresh((cursor, signal) => this.readPage({ limit: PAGE_LENGTH }, cursor, signal));
  }
}

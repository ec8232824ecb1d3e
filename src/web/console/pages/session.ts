import './session.css';
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { MediaFiles } from '../../model/media-files.js';
import { ApiError, pathOf } from '../api.js';
import { describeError } from '../failure.js';
import type { LiveEvent } from '../live.js';
import { renderMissing } from '../missing.js';
import { ConsolePage } from '../page.js';
import { Refresher } from '../refresher.js';
import { consoleTexts } from '../texts.js';
import { sessionOf } from './activity.js';
import type { HistoryItem } from './history-item.js';
import { loadMarkdown } from './markdown.js';
import './session-actions.js';
import { SessionHistory } from './session-history.js';
import { nameSession, type SessionRow } from './session-row.js';
import { sessionTexts as texts } from './sessions.texts.js';
import './turn.js';
import type { ConsoleTurn } from './turn.js';

/** Turns of a page. */
const PAGE_LENGTH = 30;

/** Interval between two reads that events cause, in milliseconds. */
const READ_INTERVAL_MS = 1_000;

/** The turns of a conversation as the person saw them, with their timing and the actions of an operator. */
@customElement('console-session')
export class ConsoleSession extends ConsolePage {
  @state() private session: (SessionRow & { readonly participants: readonly string[] }) | undefined;
  @state() private error: unknown;
  private history: SessionHistory | undefined;
  private files: MediaFiles | undefined;
  private readonly touched = new Set<string>();
  private readonly refresher = new Refresher(() => this.readChanged(), READ_INTERVAL_MS);

  /** Not when it is connected: the element may be defined after it was drawn, and has no properties then. */
  protected override firstUpdated(): void {
    this.stops.push(() => this.refresher.stop());
    this.follow(
      ['message', 'turn', 'tool', 'approval'],
      (event) => this.take(event),
      () => this.read(),
    );
  }

  override read(): void {
    this.refresher.ask();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { place } = this;
    if (!changed.has('place')) return;
    if (changed.get('place')?.ids[0] !== place.ids[0]) void this.begin();
    else if (place.fragment !== '') void this.showTurn();
  }

  protected override render(): TemplateResult {
    const { session, history, error } = this;
    if (error instanceof ApiError && error.isMissing) return renderMissing(this.app.router);
    const failure = error === undefined ? nothing : this.renderFailure(error);
    if (!session || !history) return html`${failure}`;
    return html`${failure}
      <div class="conversation">
        <div class="turns">${this.renderTurns(history)}</div>
        <console-session-actions
          .app=${this.app}
          .session=${session}
          @changed=${() => void this.readChanged()}
          @gone=${() => this.app.router.go(this.app.router.link({ page: 'sessions' }))}
        ></console-session-actions>
      </div>`;
  }

  private renderTurns(history: SessionHistory): TemplateResult {
    const { filters, fragment } = this.place;
    const isFailuresOnly = filters['failed'] === '1';
    const shown = isFailuresOnly ? history.items.filter(hasFailed) : history.items;
    return html`<div class="filters">
        <label class="switch">
          <input
            type="checkbox"
            .checked=${isFailuresOnly}
            @change=${({ target }: Event) =>
              this.app.router.filter({ failed: (target as HTMLInputElement).checked ? '1' : '' })}
          />
          ${texts.failuresOnly}
        </label>
        ${
          history.hasOlder
            ? html`<button type="button" class="plain" @click=${() => this.try(() => history.readOlder())}>
                ${texts.older}
              </button>`
            : nothing
        }
      </div>
      ${shown.length === 0 ? html`<p class="empty">${isFailuresOnly ? texts.noFailures : texts.noTurns}</p>` : nothing}
      ${repeat(
        shown,
        ({ message_ref: ref }) => ref,
        (item) =>
          html`<console-turn
            class="panel ${item.superseded_by === undefined ? '' : 'superseded'} ${item.message_ref === fragment ? 'meant' : ''}"
            data-ref=${item.message_ref}
            .app=${this.app}
            .item=${item}
            .files=${this.files}
          ></console-turn>`,
      )}`;
  }

  private renderFailure(error: unknown): TemplateResult {
    return html`<div class="trouble" role="alert">
      <p>${describeError(error)}</p>
      <button type="button" class="plain" @click=${() => void this.readChanged()}>${consoleTexts.list.tryAgain}</button>
    </div>`;
  }

  /** Shows another conversation. */
  private async begin(): Promise<void> {
    const { api } = this.app;
    const [id = ''] = this.place.ids;
    const path = pathOf('sessions', id, 'messages');
    const history = new SessionHistory((cursor) => api.page<HistoryItem>(path, { limit: PAGE_LENGTH }, cursor));
    history.changed.subscribe(() => this.requestUpdate());
    this.session = undefined;
    this.history = history;
    this.files = new MediaFiles(
      () => api.token,
      (input, init) => fetch(new URL(input as string, api.root), init),
    );
    // Before the first turn is drawn, so that nothing moves when it comes.
    await loadMarkdown();
    await this.readChanged();
    if (this.history !== history) return;
    await (this.place.fragment === '' ? this.showNewest() : this.showTurn());
  }

  private async readChanged(): Promise<void> {
    const { history } = this;
    const [id = ''] = this.place.ids;
    const touched = [...this.touched];
    this.touched.clear();
    await this.try(async () => {
      const [session] = await Promise.all([
        this.app.api.get<SessionRow & { readonly participants: readonly string[] }>(pathOf('sessions', id)),
        history?.readNewest(),
      ]);
      if (this.history !== history) return;
      this.session = session;
      this.entitle(`${nameSession(session)} · ${session.channel}`);
      await this.updateComplete;
      for (const ref of touched) void this.findTurn(ref)?.read();
    });
  }

  private async try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.error = undefined;
    } catch (error) {
      this.error = error;
    }
  }

  private async showNewest(): Promise<void> {
    await this.updateComplete;
    this.querySelector('console-turn:last-of-type')?.scrollIntoView({ block: 'end' });
  }

  private async showTurn(): Promise<void> {
    const { fragment } = this.place;
    await this.try(async () => void (await this.history?.find(fragment)));
    await this.updateComplete;
    this.findTurn(fragment)?.scrollIntoView({ block: 'start' });
  }

  private findTurn(ref: string): ConsoleTurn | undefined {
    return [...this.querySelectorAll<ConsoleTurn>('console-turn')].find((turn) => turn.dataset['ref'] === ref);
  }

  private take(event: LiveEvent): void {
    if (sessionOf(event) !== this.place.ids[0]) return;
    const { message_ref: ref } = event.row;
    if (typeof ref === 'string') this.touched.add(ref);
    this.refresher.ask();
  }
}

/** Returns true for a turn that ended with an error, or in which a tool did not succeed. */
function hasFailed({ end, blocks }: HistoryItem): boolean {
  if (end?.reason === 'error') return true;
  return blocks.some(({ block_type: type, content }) => type === 'tool_result' && /"ok":\s*false/.test(content));
}

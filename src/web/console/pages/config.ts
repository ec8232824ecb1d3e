import { html, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import '../act.js';
import { ApiError } from '../api.js';
import { formatCount, NOTHING } from '../format.js';
import { consoleIcons } from '../icons.js';
import { ConsolePage } from '../page.js';
import { ConfigDraft, type Change, type Config, type Setting } from './config-draft.js';
import './config-history.js';
import './config-setting.js';
import './filters.js';
import type { FilterField } from './filters.js';
import { Loaded } from './loaded.js';
import { renderDiff, renderPanel, renderSection } from './parts.js';

const FILTERS: readonly FilterField[] = [{ name: 'q', label: 'Search settings', type: 'search' }];

/** The settings and their sources. Changes are prepared, compared, and saved together. */
@customElement('console-config')
export class ConsoleConfig extends ConsolePage {
  @state() private isReviewing = false;
  private readonly draft = new ConfigDraft();
  private readonly config = new Loaded<Config>(
    this,
    (signal) => this.app.api.get('/config', {}, signal),
    (config) => this.draft.rebase(config),
  );

  protected override firstUpdated(): void {
    this.entitle('Settings');
    this.follow(
      ['config'],
      ({ row }) => {
        if (row['version'] !== this.draft.version) this.config.readSoon();
      },
      () => this.config.readSoon(),
    );
    void this.config.read();
  }

  override read(): void {
    void this.config.read();
    this.querySelector<ConsolePage>('console-config-history')?.read();
  }

  protected override render(): TemplateResult {
    const { router } = this.app;
    const isHistory = this.place.ids[0] === 'history';
    const link = (ids: readonly string[], title: string, isCurrent: boolean) =>
      html`<a class="tab" href=${router.link({ page: 'config', ids })} aria-current=${isCurrent ? 'page' : nothing}
        >${title}</a
      >`;
    return html`<nav class="tabs" aria-label="Settings">
        ${link([], 'Settings', !isHistory)} ${link(['history'], 'History', isHistory)}
      </nav>
      ${
        isHistory
          ? html`<console-config-history
              .app=${this.app}
              .place=${this.place}
              @reverted=${() => this.config.read()}
            ></console-config-history>`
          : this.config.render(() => this.renderSettings())
      }`;
  }

  private renderSettings(): TemplateResult {
    const [key] = this.place.ids;
    const setting = key === undefined ? undefined : this.draft.find(key);
    return html`${this.renderDraft()}
    ${
      setting
        ? keyed(
            setting.key,
            html`<console-config-setting
              .app=${this.app}
              .setting=${setting}
              .change=${this.draft.changes.find((change) => change.key === key)}
              @prepare=${({ detail }: CustomEvent<{ readonly value: unknown }>) => this.prepare(setting.key, detail.value)}
              @drop=${() => this.drop(setting.key)}
            ></console-config-setting>`,
          )
        : nothing
    }
    ${this.renderList()}`;
  }

  private renderList(): TemplateResult {
    const { q = '' } = this.place.filters;
    const wanted = q.toLowerCase();
    const found = this.draft.settings.filter(({ key, description }) =>
      `${key} ${description}`.toLowerCase().includes(wanted),
    );
    const groups = new Map<string, Setting[]>();
    for (const setting of found) {
      const [group = ''] = setting.key.split('.', 1);
      groups.set(group, [...(groups.get(group) ?? []), setting]);
    }
    return html`<div class="tools">
        <console-filters .router=${this.app.router} .place=${this.place} .fields=${FILTERS}></console-filters>
        <span class="faint" role="status"
          >${formatCount(found.length)} of ${formatCount(this.draft.settings.length)}</span
        >
      </div>
      ${found.length === 0 ? html`<p class="empty">Nothing matches “${q}”.</p>` : nothing}
      ${[...groups].map(([group, settings]) =>
        renderPanel(
          group,
          html`<ul class="settings">
            ${settings.map((setting) => this.renderRow(setting))}
          </ul>`,
        ),
      )}`;
  }

  private renderRow({ key, value, source, scope, pending, needs_restart: needsRestart }: Setting): TemplateResult {
    const change = this.draft.changes.find((each) => each.key === key);
    const { filters } = this.place;
    return html`<li class=${change ? 'changed' : ''}>
      <a
        href=${this.app.router.link({ page: 'config', ids: [key], filters })}
        aria-current=${this.place.ids[0] === key ? 'true' : nothing}
        ><code>${key}</code></a
      >
      <code class="value">${writeShort(change ? change.mine : value)}</code>
      <span class="faint lock">
        ${scope === 'config:dangerous' ? html`${consoleIcons.lock}<span class="visually-hidden">dangerous</span>` : nothing}
        ${[source, change ? 'changed' : '', pending ? 'from the next start' : needsRestart ? 'needs a restart' : '']
          .filter((note) => note !== '')
          .join(' · ')}
      </span>
    </li>`;
  }

  private renderDraft(): TemplateResult | typeof nothing {
    const { changes, conflicts } = this.draft;
    if (changes.length === 0) return nothing;
    const count = changes.length === 1 ? '1 change' : `${formatCount(changes.length)} changes`;
    const isShown = this.isReviewing || conflicts.length > 0;
    return html`<section class="panel draft" aria-label="Prepared changes">
      <div class="thing-head">
        <strong>${count} prepared, not saved</strong>
        <span class="spring"></span>
        <button type="button" class="quiet" @click=${this.discard}>Discard</button>
        ${
          isShown
            ? html`<console-action
                .app=${this.app}
                look="main"
                scope="config:write"
                label="Save ${count}"
                ?disabled=${conflicts.length > 0}
                .run=${() => this.save()}
              ></console-action>`
            : html`<button type="button" class="main" @click=${() => (this.isReviewing = true)}>Compare</button>`
        }
      </div>
      ${
        conflicts.length > 0
          ? html`<p class="trouble" role="alert">
              Another person has saved first. Choose for each setting that both of you have changed; nothing of yours is
              lost.
            </p>`
          : nothing
      }
      ${isShown ? changes.map((change) => this.renderChange(change)) : nothing}
    </section>`;
  }

  private renderChange(change: Change): TemplateResult {
    const { key, old, mine } = change;
    const isConflict = 'theirs' in change;
    return renderSection(
      key,
      html`${renderDiff(isConflict ? change.theirs : old, mine === null ? 'as the file says, or the default' : mine)}
      ${
        isConflict
          ? html`<div class="buttons">
              <button type="button" class="plain" @click=${() => this.settle(key, 'mine')}>Keep mine</button>
              <button type="button" class="plain" @click=${() => this.settle(key, 'theirs')}>Take theirs</button>
            </div>`
          : nothing
      }`,
    );
  }

  private prepare(key: string, value: unknown): void {
    this.draft.set(key, value);
    this.requestUpdate();
  }

  private drop(key: string): void {
    this.draft.drop(key);
    this.requestUpdate();
  }

  private settle(key: string, choice: 'mine' | 'theirs'): void {
    this.draft.settle(key, choice);
    this.isReviewing = true;
    this.requestUpdate();
  }

  private readonly discard = (): void => {
    const { changes } = this.draft;
    this.draft.clear();
    this.isReviewing = false;
    this.app.act.offerUndo('The prepared changes were discarded.', async () => {
      for (const { key, mine } of changes) this.draft.set(key, mine);
      this.requestUpdate();
    });
  };

  private async save(): Promise<void> {
    try {
      const { needs_restart: needsRestart } = await this.app.api.patch<{ readonly needs_restart: readonly string[] }>(
        '/config',
        this.draft.toBody(),
      );
      this.draft.clear();
      this.isReviewing = false;
      const later = needsRestart.length === 0 ? '' : ` From the next start on: ${needsRestart.join(', ')}.`;
      this.app.act.say(`The settings were saved.${later}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
      await this.config.read();
      this.isReviewing = true;
      this.app.act.say('Another person has saved first. Compare again, then save.');
      return;
    }
    await this.config.read();
  }
}

/** Writes a value in one line. */
function writeShort(value: unknown): string {
  if (value === null || value === undefined || value === '') return NOTHING;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

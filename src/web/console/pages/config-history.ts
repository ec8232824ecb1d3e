import { html, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import '../act.js';
import { describeError } from '../failure.js';
import { ListModel } from '../list-model.js';
import { ConsolePage } from '../page.js';
import { consoleTexts } from '../texts.js';
import { renderDiff, renderSection, renderText, renderTime } from './parts.js';

/** A change of settings at run time. */
interface Version {
  readonly version: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly actor: string;
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** The changes of settings at run time, newest first. Dispatches `reverted`. */
@customElement('console-config-history')
export class ConsoleConfigHistory extends ConsolePage {
  private readonly model = new ListModel<Version>(
    (cursor, signal) => this.app.api.page('/config/history', {}, cursor, signal),
    ({ version }) => String(version),
  );

  override connectedCallback(): void {
    super.connectedCallback();
    this.stops.push(
      this.model.changed.subscribe(() => this.requestUpdate()),
      () => this.model.stop(),
    );
    void this.model.read();
  }

  override read(): void {
    void this.model.read();
  }

  protected override render(): TemplateResult {
    const { rows, phase, error, hasMore } = this.model;
    if (phase === 'failed')
      return html`<div class="trouble" role="alert">
        <p>${consoleTexts.list.failed(describeError(error))}</p>
        <button type="button" class="plain" @click=${() => this.read()}>${consoleTexts.list.tryAgain}</button>
      </div>`;
    if (rows.length === 0)
      return phase === 'loading'
        ? html`<p class="loading" role="status">${consoleTexts.list.loading}</p>`
        : html`<p class="empty">Nothing was changed at run time.</p>`;
    return html`<ul class="cards">
        ${repeat(
          rows,
          ({ version }) => version,
          (row, index) => this.renderVersion(row, index === 0),
        )}
      </ul>
      ${hasMore ? html`<button type="button" class="plain" @click=${() => this.model.readMore()}>More</button>` : ''}`;
  }

  private renderVersion({ version, at, actor, before, after }: Version, isNewest: boolean): TemplateResult {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return html`<li class="card">
      <div class="thing-head">
        <h2>Version ${version}</h2>
        <span class="faint">${renderText(actor)}, ${renderTime(at, 'exact')}</span>
        <span class="spring"></span>
        ${
          isNewest
            ? html`<span class="faint">the settings of now</span>`
            : html`<console-action
                .app=${this.app}
                scope="config:write"
                label="Revert to ${version}"
                warning="Bring back version ${version}?"
                done="The settings of version ${version} are back."
                .run=${() => this.revert(version)}
              ></console-action>`
        }
      </div>
      ${keys.map((key) => renderSection(key, renderDiff(before[key], after[key])))}
    </li>`;
  }

  private async revert(version: number): Promise<void> {
    await this.app.api.post('/config/revert', { version });
    this.dispatchEvent(new CustomEvent('reverted'));
    await this.model.read();
  }
}

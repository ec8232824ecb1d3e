import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import '../act.js';
import { pathOf } from '../api.js';
import { describeError } from '../failure.js';
import { NOTHING } from '../format.js';
import { ListModel } from '../list-model.js';
import type { LiveEvent } from '../live.js';
import { ConsolePage } from '../page.js';
import { describeState, renderState } from '../state-chip.js';
import { consoleTexts } from '../texts.js';
import './countdown.js';
import './filters.js';
import type { FilterField } from './filters.js';
import { renderFacts, renderJson, renderMessageLink, renderSessionLink, renderText, renderTime } from './parts.js';
import { showsAllTenants } from './tenant-column.js';
import './pages.css';

/** A tool call that a person decides on. */
interface Approval {
  readonly approval_id: string;
  readonly tenant: string;
  readonly session_id: string;
  /** Absent for a call outside of turns. */
  readonly message_ref?: string;
  readonly channel?: string;
  readonly sender?: string;
  readonly tool: string;
  readonly detail?: string;
  readonly arguments: unknown;
  readonly arguments_sha256: string;
  readonly expires_at: number;
  readonly decision?: string;
  readonly decided_by?: string;
}

const FILTERS: readonly FilterField[] = [
  { name: 'state', label: 'State', options: ['pending', 'allowed', 'denied', 'expired'], fallback: 'pending' },
];

/**
 * The calls that wait for a decision. The buttons of a call decide on that call with those arguments, as they were drawn. A call that has
 * ended stays where it was, without buttons, so that no other one comes under the pointer.
 */
@customElement('console-approvals')
export class ConsoleApprovals extends ConsolePage {
  private model: ListModel<Approval> | undefined;
  private shownState = '';

  private get state(): string {
    return this.place.filters['state'] ?? 'pending';
  }

  protected override willUpdate(_changed: PropertyValues<this>): void {
    if (this.model && this.state === this.shownState) return;
    this.model?.stop();
    this.shownState = this.state;
    const { state } = this;
    const model = new ListModel<Approval>(
      (cursor, signal) => this.app.api.page('/approvals', { state }, cursor, signal),
      ({ approval_id }) => approval_id,
    );
    model.changed.subscribe(() => this.requestUpdate());
    this.model = model;
    void model.read();
  }

  protected override firstUpdated(): void {
    this.entitle('Approvals');
    this.follow(
      ['approval'],
      (event) => this.model?.whenRead(() => this.take(event)),
      () => this.read(),
    );
  }

  override read(): void {
    void this.model?.read();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.model?.stop();
  }

  protected override render(): TemplateResult {
    return html`<div class="tools">
        <console-filters .router=${this.app.router} .place=${this.place} .fields=${FILTERS}></console-filters>
      </div>
      ${this.model ? this.renderModel(this.model) : nothing}`;
  }

  private renderModel(model: ListModel<Approval>): TemplateResult {
    const { rows, phase, error, freshCount, hasMore } = model;
    return html`<div class="fresh" role="status">
        ${
          freshCount === 0
            ? nothing
            : html`<button type="button" class="main" @click=${() => model.read()}>
                ${consoleTexts.list.fresh(freshCount)}
              </button>`
        }
      </div>
      ${
        phase === 'failed'
          ? html`<div class="trouble" role="alert">
              <p>${consoleTexts.list.failed(describeError(error))}</p>
              <button type="button" class="plain" @click=${() => model.read()}>${consoleTexts.list.tryAgain}</button>
            </div>`
          : nothing
      }
      ${
        rows.length === 0 && phase === 'loading'
          ? html`<div class="loading" role="status"><span>${consoleTexts.list.loading}</span></div>`
          : nothing
      }
      ${rows.length === 0 && phase === 'ready' && !hasMore ? this.renderEmpty() : nothing}
      <ul class="cards">
        ${repeat(
          rows,
          ({ approval_id }) => approval_id,
          (row) => this.renderCard(row),
        )}
      </ul>
      ${
        hasMore
          ? html`<button type="button" class="plain" ?disabled=${phase === 'loading'} @click=${() => model.readMore()}>
              More
            </button>`
          : nothing
      }`;
  }

  private renderEmpty(): TemplateResult {
    const sentence = this.state === 'pending' ? 'No tool call waits for a decision.' : 'There is none in this state.';
    return html`<div class="empty"><p>${sentence}</p></div>`;
  }

  private renderCard(approval: Approval): TemplateResult {
    const { tool, detail, decision, decided_by: decidedBy, expires_at: expiresAt, message_ref: ref } = approval;
    return html`<li class="card approval ${decision === undefined ? '' : 'over'}" data-id=${approval.approval_id}>
      <div class="thing-head">
        <h2><code>${renderText(tool)}</code></h2>
        ${renderState(
          decision ?? 'pending',
          decidedBy === undefined || decision === 'expired'
            ? undefined
            : `${describeState(decision ?? '').word} by ${decidedBy}`,
        )}
        <span class="spring"></span>
        ${
          decision === undefined
            ? html`<console-countdown .until=${expiresAt}></console-countdown>`
            : html`<span class="faint">until ${renderTime(expiresAt, 'clock')}</span>`
        }
      </div>
      ${detail === undefined ? nothing : html`<p>${renderText(detail)}</p>`} ${renderArguments(approval.arguments)}
      ${renderFacts([
        ...(showsAllTenants(this.app) ? [['Tenant', renderText(approval.tenant)] as const] : []),
        ['Asked by', renderText(describePerson(approval))],
        ['Conversation', renderSessionLink(this.app, approval.session_id, ref)],
        ['Message', ref === undefined ? nothing : renderMessageLink(this.app, ref)],
      ])}
      <div class="buttons">${decision === undefined ? this.renderButtons(approval) : nothing}</div>
    </li>`;
  }

  private renderButtons(approval: Approval): TemplateResult {
    return html`<console-action
        .app=${this.app}
        look="main"
        label="Allow"
        .run=${() => this.decide(approval, 'allow')}
      ></console-action>
      <console-action .app=${this.app} label="Deny" .run=${() => this.decide(approval, 'deny')}></console-action>`;
  }

  /** Decides on what was drawn: the gateway refuses it if the arguments are others by now. */
  private async decide({ approval_id: id, arguments_sha256 }: Approval, decision: 'allow' | 'deny'): Promise<void> {
    await this.app.api.post(pathOf('approvals', id), { decision, arguments_sha256 });
    this.end(id, decision, this.app.me.principal);
    this.app.act.say(`The call was ${describeState(decision).word}.`);
  }

  private take({ row }: LiveEvent): void {
    const id = String(row['approval_id']);
    const state = String(row['state']);
    if (state !== 'pending') this.end(id, state, row['decided_by'] as string | undefined);
    else if (this.state === 'pending') this.model?.announce(id);
  }

  private end(id: string, decision: string, decidedBy: string | undefined): void {
    const isShown = this.model?.change(id, (row) => ({
      ...row,
      decision,
      ...(decidedBy !== undefined && { decided_by: decidedBy }),
    }));
    if (!isShown) this.model?.remove(id);
  }
}

/** Writes who has asked for the call: "5001 · telegram". */
function describePerson({ sender, channel }: Approval): string {
  return sender === undefined ? NOTHING : `${sender} · ${channel}`;
}

/** Renders all arguments of a call: as a list, and as they are. */
function renderArguments(value: unknown): TemplateResult {
  const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  return html`${
      entries.length === 0
        ? nothing
        : html`<dl class="arguments">
            ${entries.map(
              ([name, part]) =>
                html`<div>
                  <dt>${renderText(name)}</dt>
                  <dd>${renderText(typeof part === 'string' ? part : JSON.stringify(part))}</dd>
                </div>`,
            )}
          </dl>`
    }
    <details>
      <summary>As JSON</summary>
      ${renderJson(value)}
    </details>`;
}

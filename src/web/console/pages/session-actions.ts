import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { icons } from '../../design/icons.js';
import { download } from '../../design/download.js';
import { pathOf } from '../api.js';
import type { ConsoleContext } from '../context.js';
import { nameSession, type SessionRow } from './session-row.js';
import { sessionTexts as texts } from './sessions.texts.js';
import { renderText } from './parts.js';

/** The actions on a conversation. */
interface SessionChange {
  readonly mode?: string;
  readonly explicit_activation?: boolean;
  readonly tool_permissions?: readonly string[];
}

/** Most messages of the context that are counted. */
const MAX_COUNTED = 50;

const MODES = ['main', 'group', 'queue'] as const;

/** The facts of a conversation, and what an operator can do with it. Dispatches `changed` and `gone`. */
@customElement('console-session-actions')
export class ConsoleSessionActions extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property({ attribute: false }) session!: SessionRow & { readonly participants: readonly string[] };
  /** The message that is being written. It stays when it could not be sent. */
  @state() private draft = '';
  @state() private permission = '';

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { id, channel, agent, participants, created_at: created, last_active: active, model } = this.session;
    const { facts } = texts;
    return html`<section class="panel session-facts" aria-label=${texts.about}>
        <dl class="facts">
          <dt>${facts.id}</dt>
          <dd><code>${id}</code></dd>
          <dt>${facts.people}</dt>
          <dd>${renderText(participants.join(', '))}</dd>
          <dt>${facts.channel}</dt>
          <dd>${renderText(channel)}</dd>
          <dt>${facts.agent}</dt>
          <dd>${renderText(model === undefined ? agent : `${agent} · ${model}`)}</dd>
          <dt>${facts.created}</dt>
          <dd><console-time .at=${created}></console-time></dd>
          <dt>${facts.lastActive}</dt>
          <dd><console-time .at=${active}></console-time></dd>
        </dl>
        ${this.renderSettings()}
      </section>
      ${this.renderSend()}
      <section class="panel actions" aria-label=${texts.actions}>${this.renderEnds()}</section>`;
  }

  private renderSettings(): TemplateResult {
    const { mode, explicit_activation: isExplicit } = this.session;
    const isAllowed = this.app.me.may('admin:write');
    return html`<div class="session-settings">
      <label
        >${texts.mode}
        <select
          class="field"
          ?disabled=${!isAllowed}
          @change=${({ target }: Event) => this.change({ mode: (target as HTMLSelectElement).value })}
        >
          ${MODES.map((each) => html`<option value=${each} .selected=${each === mode}>${each}</option>`)}
        </select></label
      >
      <label class="switch">
        <input
          type="checkbox"
          .checked=${isExplicit}
          ?disabled=${!isAllowed}
          @change=${({ target }: Event) => this.change({ explicit_activation: (target as HTMLInputElement).checked })}
        />
        ${texts.activation}
      </label>
      ${this.renderPermissions(isAllowed)}
    </div>`;
  }

  private renderPermissions(isAllowed: boolean): TemplateResult {
    const { tool_permissions: permissions } = this.session;
    return html`<p class="faint">${texts.permissions}</p>
      <ul class="chips">
        ${permissions.map(
          (each) =>
            html`<li>
              <button
                type="button"
                class="chip"
                ?disabled=${!isAllowed}
                aria-label=${texts.takePermission(each)}
                @click=${() => this.change({ tool_permissions: permissions.filter((other) => other !== each) })}
              >
                <span>${renderText(each)}</span>${icons.close}
              </button>
            </li>`,
        )}
      </ul>
      <form class="filters" @submit=${this.addPermission}>
        <input
          class="field"
          aria-label=${texts.newPermission}
          placeholder=${texts.newPermission}
          autocomplete="off"
          .value=${this.permission}
          ?disabled=${!isAllowed}
          @input=${({ target }: Event) => (this.permission = (target as HTMLInputElement).value)}
        />
        <button type="submit" class="plain" ?disabled=${!isAllowed || this.permission === ''}>${texts.give}</button>
        ${isAllowed ? nothing : html`<span class="needs">${texts.needsWrite}</span>`}
      </form>`;
  }

  private renderSend(): TemplateResult {
    return html`<section class="panel send">
      <label for="send-text">${texts.send}</label>
      <textarea
        id="send-text"
        class="field"
        rows="2"
        dir="auto"
        .value=${this.draft}
        ?disabled=${!this.app.me.may('admin:write')}
        @input=${({ target }: Event) => (this.draft = (target as HTMLTextAreaElement).value)}
      ></textarea>
      <console-action
        .app=${this.app}
        .label=${texts.sendButton}
        .warning=${texts.sendWarning(nameSession(this.session))}
        .icon=${icons.send}
        .disabled=${this.draft.trim() === ''}
        .done=${texts.sent}
        .run=${() => this.send()}
      ></console-action>
    </section>`;
  }

  private renderEnds(): TemplateResult {
    const { app } = this;
    return html`<console-action
        .app=${app}
        scope="admin:read"
        .label=${texts.export}
        .icon=${icons.save}
        .run=${() => this.export()}
      ></console-action>
      <console-action
        .app=${app}
        .label=${texts.reset}
        .icon=${icons.retry}
        .run=${() => this.reset()}
      ></console-action>
      <console-action
        .app=${app}
        look="danger"
        .label=${texts.delete}
        .icon=${icons.remove}
        .run=${() => this.deleteAll()}
      ></console-action>`;
  }

  /** Changes the conversation, and offers to undo it. */
  private async change(change: SessionChange): Promise<void> {
    const { act, api, me } = this.app;
    const { id } = this.session;
    const before = Object.fromEntries(
      Object.keys(change).map((name) => [name, this.session[name as keyof SessionChange]]),
    ) as SessionChange;
    const apply = async (next: SessionChange) => {
      await api.patch(pathOf('sessions', id), next);
      this.dispatchEvent(new CustomEvent('changed'));
    };
    const isDone = await act.run(() => apply(change));
    // A switch that could not be changed shows its present state.
    if (!isDone) return this.requestUpdate();
    act.offerUndo(texts.changed(me.principal), () => apply(before));
  }

  private addPermission(event: Event): void {
    event.preventDefault();
    const { tool_permissions: permissions } = this.session;
    const added = this.permission.trim();
    if (added === '') return;
    this.permission = '';
    if (!permissions.includes(added)) void this.change({ tool_permissions: [...permissions, added] });
  }

  private async send(): Promise<void> {
    const { api } = this.app;
    await api.post(pathOf('sessions', this.session.id, 'messages'), { content: this.draft });
    this.draft = '';
    this.dispatchEvent(new CustomEvent('changed'));
  }

  private async export(): Promise<void> {
    const { id } = this.session;
    const response = await this.app.api.open(pathOf('sessions', id, 'export'));
    download(`${id}.jsonl`, await response.blob());
  }

  private async reset(): Promise<void> {
    const { api, act } = this.app;
    const { id } = this.session;
    const { items } = await api.get<{ readonly items: readonly unknown[] }>(pathOf('sessions', id, 'context'));
    const count = items.length >= MAX_COUNTED ? texts.orMore(MAX_COUNTED) : String(items.length);
    const question = { heading: texts.resetHeading, effect: texts.resetEffect(count), verb: texts.reset };
    if (!(await act.ask(question))) return;
    await api.post(pathOf('sessions', id, 'reset'));
    act.say(texts.wasReset);
    this.dispatchEvent(new CustomEvent('changed'));
  }

  private async deleteAll(): Promise<void> {
    const { api, act } = this.app;
    const { id } = this.session;
    const waiting = await api.page<unknown>('/queue', { session_id: id, limit: MAX_COUNTED });
    const effect = texts.deleteEffect(nameSession(this.session), waiting.items.length);
    if (!(await act.ask({ heading: texts.deleteHeading, effect, verb: texts.delete }))) return;
    await api.delete(pathOf('sessions', id));
    act.say(texts.wasDeleted);
    this.dispatchEvent(new CustomEvent('gone'));
  }
}

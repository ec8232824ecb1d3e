import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { icons } from '../../design/icons.js';
import { pathOf } from '../api.js';
import { describeError } from '../failure.js';
import { formatDuration } from '../format.js';
import { ConsolePage } from '../page.js';
import { renderChip, renderState } from '../state-chip.js';
import { consoleTexts } from '../texts.js';
import { FormValues } from './form-values.js';
import { findItem, Loaded } from './loaded.js';
import { renderFacts, renderJson, renderPanel, renderSection, renderText } from './parts.js';

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly parameters: object;
  readonly permissions: readonly string[];
  readonly timeout_ms: number;
  readonly idempotent: boolean;
  readonly sandbox: boolean;
  readonly needs_approval: boolean;
  readonly enabled: boolean;
}

/** The outcome of a call that the person made. */
type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** One tool: what it takes, and a way to try it. */
@customElement('console-tool')
export class ConsoleTool extends ConsolePage {
  @property() name = '';
  @state() private outcome: Outcome | undefined;
  @state() private isBusy = false;
  private readonly tool = new Loaded<Tool>(this, (signal) =>
    findItem(
      (cursor) => this.app.api.page<Tool>('/tools', { limit: 200 }, cursor, signal),
      ({ name }) => name === this.name,
    ),
  );

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('name')) return;
    this.outcome = undefined;
    this.read();
  }

  protected override firstUpdated(): void {
    this.follow(
      ['config'],
      () => this.tool.readSoon(),
      () => this.tool.readSoon(),
    );
  }

  protected override updated(): void {
    this.entitle(this.name);
  }

  override read(): void {
    void this.tool.read();
  }

  protected override render(): TemplateResult {
    return this.tool.render(
      (tool) =>
        html`<div class="thing">
          <div class="thing-head">
            ${renderState(tool.enabled ? 'on' : 'off')}
            ${tool.needs_approval ? renderChip(icons.asks, 'held', 'asks a person') : nothing}
          </div>
          <p>${renderText(tool.description)}</p>
          ${renderPanel(
            'Facts',
            renderFacts([
              ['Permissions', renderText(tool.permissions.join(', '))],
              ['Ends after', formatDuration(tool.timeout_ms)],
              ['After a crash', tool.idempotent ? 'it runs again' : 'it does not run again: its outcome is unknown'],
              ['Runs in a sandbox', tool.sandbox ? 'yes' : 'no'],
            ]),
          )}
          ${renderSection('Parameters', renderJson(tool.parameters))} ${renderPanel('Try it', this.renderTrial(tool))}
        </div>`,
    );
  }

  private renderTrial({ enabled }: Tool): TemplateResult {
    const isAllowed = this.app.me.may('tools:call');
    return html`<form class="stack" @submit=${this.call}>
      <label>
        <span>Parameters, as JSON. The call has effects, as one of an agent has.</span>
        <textarea
          class="field code"
          name="parameters"
          rows="3"
          spellcheck="false"
          .defaultValue=${'{}'}
          ?disabled=${!isAllowed}
        ></textarea>
      </label>
      <label>
        <span>Conversation in which it is called; empty: one of your own</span>
        <input class="field" name="session_id" autocomplete="off" spellcheck="false" ?disabled=${!isAllowed} />
      </label>
      <div class="buttons">
        <button class="plain" ?disabled=${!isAllowed || this.isBusy || !enabled}>Call</button>
        ${isAllowed ? nothing : html`<span class="needs">${consoleTexts.act.needs('tools:call')}</span>`}
      </div>
      <div role="status">${this.outcome ? renderOutcome(this.outcome) : nothing}</div>
    </form>`;
  }

  private readonly call = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const parameters = readObject(form.text('parameters'));
    const sessionId = form.text('session_id').trim();
    if (parameters === undefined) {
      this.outcome = { error: 'The parameters must be a JSON object.' };
      return;
    }
    this.isBusy = true;
    try {
      const wish = { parameters, ...(sessionId !== '' && { session_id: sessionId }) };
      this.outcome = { result: await this.app.api.post<unknown>(`${pathOf('tools', this.name)}/call`, wish) };
    } catch (error) {
      this.outcome = { error };
    }
    this.isBusy = false;
  };
}

function renderOutcome(outcome: Outcome): TemplateResult {
  if ('result' in outcome) return renderJson(outcome.result);
  const { error } = outcome;
  return html`<p class="trouble">${typeof error === 'string' ? error : describeError(error)}</p>`;
}

function readObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

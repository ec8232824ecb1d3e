import '../styles/setup.css';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { icons } from '../design/icons.js';
import { AdminError, AdminRequests } from './admin-requests.js';
import {
  findChoiceFault,
  ModelSetup,
  type ChoiceFault,
  type Findings,
  type Outcome,
  type Candidate,
} from './model-setup.js';
import { setupTexts as texts } from './setup-texts.js';

/** A model that was set up, and its answer to the question. */
export type SetUpModel = Pick<Extract<Outcome, { kind: 'done' }>, 'model' | 'text' | 'firstTokenMs'>;

/**
 * A form that sets up a model: provider, key and model are tried with one question, then saved. Dispatches `set-up` with a
 * {@link SetUpModel}, or with undefined when there is a model already; both bubble. The key stays in its field only: it is
 * sent once, and removed when the form is closed or has done its work.
 */
@customElement('chat-setup')
export class ChatSetup extends LitElement {
  /** Returns the token of the tab; undefined in open mode. */
  @property({ attribute: false }) readToken!: () => string | undefined;
  @state() private findings: Findings | undefined;
  @state() private candidate: Candidate | undefined;
  /** The model that is being asked. */
  @state() private asked: string | undefined;
  @state() private fault: ChoiceFault | undefined;
  /** Why the last attempt failed: a sentence, and the words of the gateway or the provider. */
  @state() private problem: { readonly sentence: string; readonly detail: string } | undefined;
  @query('#setup-key') private readonly keyField!: HTMLInputElement | null;
  @query('#setup-address') private readonly addressField!: HTMLInputElement | null;
  @query('#setup-model') private readonly modelField!: HTMLInputElement;
  #setup: ModelSetup | undefined;
  #attempt = new AbortController();
  readonly #toggled = (event: Event) => {
    const isOpen = event.target instanceof HTMLDetailsElement && event.target.open;
    if (!isOpen) this.leave();
    else if (this.findings === undefined) void this.find();
  };

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.closest('details')?.addEventListener('toggle', this.#toggled);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
  }

  protected override firstUpdated(): void {
    if (this.closest('details')?.open) void this.find();
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('findings') && this.findings?.kind === 'candidates') this.querySelector('select')?.focus();
    if (changed.has('candidate') && this.candidate)
      this.modelField.value = this.candidate.kind === 'known' ? '' : (this.candidate.models[0] ?? '');
  }

  protected override render(): TemplateResult {
    const { findings } = this;
    if (findings?.kind === 'candidates') return this.renderForm(findings.candidates);
    if (findings?.kind === 'builtin') return html`<p class="faint">${texts.builtin}</p>`;
    if (findings?.kind === 'taken') return html`<p class="faint">${texts.taken(findings.model)}</p>`;
    if (!this.problem) return html`<p class="faint" role="status">${texts.searching}</p>`;
    return html`${this.renderProblem()}<button type="button" class="plain" @click=${this.find}>${texts.again}</button>`;
  }

  private renderForm(candidates: readonly Candidate[]): TemplateResult {
    const { candidate, asked } = this;
    return html`<form @submit=${this.submit} novalidate>
      <label for="setup-provider">${texts.provider}</label>
      <select
        id="setup-provider"
        class="field"
        ?disabled=${asked !== undefined}
        @change=${(event: Event) => this.choose(candidates[(event.target as HTMLSelectElement).selectedIndex])}
      >
        ${candidates.map((each) => html`<option ?selected=${each === candidate}>${describeCandidate(each)}</option>`)}
      </select>
      ${candidate?.fault === undefined ? nothing : html`<p class="state warn">${icons.warning}${texts.silentProvider(candidate.fault)}</p>`}
      ${candidate?.kind === 'other' ? this.renderField('address', 'url', texts.address, texts.addressHint) : nothing}
      ${candidate === undefined || candidate.kind === 'here' ? nothing : this.renderField('key', 'password', texts.key, texts.keyHint[candidate.kind])}
      ${this.renderField('model', 'text', texts.model, '')}
      <datalist id="setup-models">${candidate?.models.map((model) => html`<option value=${model}></option>`)}</datalist>
      ${this.renderProblem()}${this.renderButtons()}
    </form>`;
  }

  private renderField(name: ChoiceFault, type: string, label: string, hint: string): TemplateResult {
    const isWrong = this.fault === name;
    const described = [...(isWrong ? ['setup-problem'] : []), ...(hint === '' ? [] : [`setup-${name}-hint`])].join(' ');
    return html`<label for="setup-${name}">${label}</label>
      <input
        id="setup-${name}"
        class="field"
        type=${type}
        dir="ltr"
        autocomplete="off"
        autocapitalize="off"
        spellcheck="false"
        list=${name === 'model' ? 'setup-models' : nothing}
        aria-invalid=${isWrong ? 'true' : nothing}
        aria-describedby=${described || nothing}
        ?disabled=${this.asked !== undefined}
      />
      ${hint === '' ? nothing : html`<p class="faint" id="setup-${name}-hint">${hint}</p>`}`;
  }

  private renderProblem(): TemplateResult {
    const { problem, fault } = this;
    const sentence = fault === undefined ? problem?.sentence : texts.faults[fault];
    return html`<div role="alert">
        ${sentence === undefined ? nothing : html`<p class="trouble" id="setup-problem">${sentence}</p>`}
      </div>
      ${problem && fault === undefined && problem.detail !== '' ? html`<p class="faint detail" dir="auto">${problem.detail}</p>` : nothing}`;
  }

  private renderButtons(): TemplateResult {
    const { asked } = this;
    return html`<p class="buttons">
      ${
        asked === undefined
          ? html`<button type="submit" class="main">${texts.submit}</button>`
          : html`<button type="button" class="plain" @click=${() => this.#attempt.abort()}>${texts.cancel}</button>`
      }
      <span class="state info" role="status"
        >${asked === undefined ? nothing : html`${icons.working}${texts.asking(asked)}`}</span
      >
    </p>`;
  }

  private async find(): Promise<void> {
    this.#setup = new ModelSetup(new AdminRequests(this.readToken));
    this.#attempt = new AbortController();
    this.problem = undefined;
    try {
      this.findings = await this.#setup.find(this.#attempt.signal);
      if (this.findings.kind === 'candidates') this.choose(this.findings.candidates[0]);
      if (this.findings.kind === 'taken') this.dispatch(undefined);
    } catch (error) {
      if (error instanceof AdminError)
        this.problem = { sentence: texts.failures[error.failure], detail: error.message };
    }
  }

  private choose(candidate: Candidate | undefined): void {
    this.candidate = candidate;
    this.fault = undefined;
    this.problem = undefined;
    if (this.keyField) this.keyField.value = '';
  }

  private submit(event: Event): void {
    event.preventDefault();
    const { candidate } = this;
    if (candidate && this.asked === undefined) void this.attempt(candidate);
  }

  private async attempt(candidate: Candidate): Promise<void> {
    const [model, key, address] = [this.modelField, this.keyField, this.addressField].map(
      (field) => field?.value.trim() ?? '',
    );
    const choice = { candidate, model: model ?? '', key: key ?? '', address: address ?? '' };
    this.problem = undefined;
    this.fault = findChoiceFault(choice);
    if (this.fault) return this.querySelector<HTMLElement>(`#setup-${this.fault}`)?.focus();
    this.asked = choice.model;
    this.#attempt = new AbortController();
    const outcome = await this.#setup?.tryAndSave(choice, this.#attempt.signal);
    this.asked = undefined;
    if (outcome && this.isConnected) await this.end(outcome);
  }

  private async end(outcome: Outcome): Promise<void> {
    if (outcome.kind === 'done' || outcome.kind === 'taken') {
      this.clear();
      if (outcome.kind === 'taken') this.findings = outcome;
      return this.dispatch(outcome.kind === 'done' ? outcome : undefined);
    }
    this.problem = describeProblem(outcome);
    await this.updateComplete;
    this.querySelector<HTMLElement>('[type=submit]')?.focus();
  }

  private dispatch(detail: SetUpModel | undefined): void {
    this.dispatchEvent(new CustomEvent<SetUpModel | undefined>('set-up', { detail, bubbles: true }));
  }

  /** Ends what runs, and forgets the key. */
  private leave(): void {
    this.#attempt.abort();
    this.clear();
  }

  private clear(): void {
    if (this.keyField) this.keyField.value = '';
  }
}

function describeCandidate({ kind, name, address }: Candidate): string {
  return kind === 'other' ? texts.candidates.other : texts.candidates[kind](name, address);
}

function describeProblem(outcome: Exclude<Outcome, { kind: 'done' | 'taken' }>): {
  readonly sentence: string;
  readonly detail: string;
} {
  switch (outcome.kind) {
    case 'cancelled':
      return { sentence: texts.cancelled, detail: '' };
    case 'silent':
      return { sentence: texts.silent(outcome.model, outcome.reason), detail: outcome.detail };
    case 'failed':
      return { sentence: texts.failures[outcome.failure], detail: outcome.detail };
  }
}

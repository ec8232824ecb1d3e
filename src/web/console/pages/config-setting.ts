import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { ConsoleContext } from '../context.js';
import { consoleTexts } from '../texts.js';
import { hasMask, MASK, type Change, type Setting } from './config-draft.js';
import { FormValues } from './form-values.js';
import { writeValue } from './line-diff.js';

/**
 * The form of one setting. Dispatches `prepare` with the new value, or `drop`. A secret is never written into it: what is
 * typed replaces it, and an empty field leaves it as it is.
 */
@customElement('console-config-setting')
export class ConsoleConfigSetting extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property({ attribute: false }) setting!: Setting;
  /** The change that is prepared. */
  @property({ attribute: false }) change: Change | undefined;
  @state() private fault = '';

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('setting') && changed.get('setting')?.key !== this.setting.key) this.fault = '';
  }

  protected override render(): TemplateResult {
    const { key, description, source, scope, needs_restart: needsRestart } = this.setting;
    const isAllowed = this.app.me.may(scope);
    return html`<form class="stack panel setting" @submit=${this.prepare} aria-label=${key}>
      <h2><code>${key}</code></h2>
      <p>${description}</p>
      <p class="faint">
        From ${source}${needsRestart ? ' · a change needs a restart' : ''} · ${consoleTexts.act.needs(scope)}
      </p>
      <label><span>New value</span>${this.renderField(isAllowed)}</label>
      ${this.fault === '' ? nothing : html`<p class="trouble" role="alert">${this.fault}</p>`}
      <div class="buttons">
        ${
          source === 'run time'
            ? html`<button type="button" class="plain" ?disabled=${!isAllowed} @click=${() => this.send(null)}>
                Remove this change
              </button>`
            : nothing
        }
        ${
          this.change
            ? html`<button type="button" class="plain" @click=${() => this.dispatchEvent(new CustomEvent('drop'))}>
                Leave it as it is
              </button>`
            : nothing
        }
        <button class="main" ?disabled=${!isAllowed}>Prepare</button>
      </div>
    </form>`;
  }

  private renderField(isAllowed: boolean): TemplateResult {
    const { value } = this.setting;
    const shown = this.change && this.change.mine !== null ? this.change.mine : value;
    if (value === MASK)
      return html`<input
        class="field"
        name="value"
        type="password"
        autocomplete="off"
        placeholder="a new secret; empty: it stays"
        ?disabled=${!isAllowed}
      />`;
    if (typeof value === 'boolean')
      return html`<select class="field" name="value" ?disabled=${!isAllowed}>
        ${[true, false].map((each) => html`<option ?selected=${each === shown}>${String(each)}</option>`)}
      </select>`;
    if (typeof value === 'object' || (typeof value === 'string' && value.includes('\n')))
      return html`<textarea
        class="field code"
        name="value"
        rows="8"
        spellcheck="false"
        ?disabled=${!isAllowed}
        .value=${shown === null ? '' : writeValue(shown)}
      ></textarea>`;
    return html`<input
      class="field"
      name="value"
      spellcheck="false"
      autocomplete="off"
      inputmode=${typeof value === 'number' ? 'decimal' : 'text'}
      ?disabled=${!isAllowed}
      .value=${String(shown)}
    />`;
  }

  private readonly prepare = (event: SubmitEvent): void => {
    const text = new FormValues(event).text('value');
    if (this.setting.value === MASK && text === '') return void this.dispatchEvent(new CustomEvent('drop'));
    const value = readValue(text, this.setting.value);
    if (value === undefined) this.fault = 'This is not JSON.';
    else if (hasMask(value)) this.fault = `Write each secret in place of ${MASK}: the mask is not saved.`;
    else this.send(value);
  };

  private send(value: unknown): void {
    this.fault = '';
    this.dispatchEvent(new CustomEvent('prepare', { detail: { value } }));
  }
}

/** Reads what was typed, as a value of the kind that a setting has. Undefined: it is not JSON. */
function readValue(text: string, before: unknown): unknown {
  if (typeof before === 'string') return text;
  if (typeof before === 'number' && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A setting without a value may be a text.
    return before === null && !/^\s*[[{"]/.test(text) ? text : undefined;
  }
}

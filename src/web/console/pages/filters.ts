import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { icons } from '../../design/icons.js';
import type { FilterChip } from '../chips.js';
import type { Place } from '../place.js';
import type { Router } from '../router.js';
import { describeState } from '../state-chip.js';

/** A filter of a page. */
export interface FilterField {
  /** As in the API and in the address. */
  readonly name: string;
  readonly label: string;
  /** The values to choose from; without them a text is typed. */
  readonly options?: readonly string[];
  /** `time`: a date and a time, which are Unix milliseconds in the API. `search`: the text that the key `/` leads to. */
  readonly type?: 'text' | 'time' | 'search';
  /** The choice while the address names none: it is shown as chosen. */
  readonly fallback?: string;
}

/** Time after the last letter until a typed filter counts, in milliseconds. */
const TYPING_MS = 250;

/** The filters of a page, which are those of the address. What is typed replaces the entry of the history. */
@customElement('console-filters')
export class ConsoleFilters extends LitElement {
  @property({ attribute: false }) router!: Router;
  @property({ attribute: false }) place!: Place;
  @property({ attribute: false }) fields: readonly FilterField[] = [];
  #typing: ReturnType<typeof setTimeout> | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#typing);
  }

  protected override render(): TemplateResult {
    return html`<form class="filters" role="search" @submit=${(event: Event) => event.preventDefault()}>
      ${this.fields.map((field) => (field.options ? this.renderChoice(field, field.options) : this.renderText(field)))}
    </form>`;
  }

  private renderChoice({ name, label, fallback = '' }: FilterField, options: readonly string[]): TemplateResult {
    const value = this.place.filters[name] ?? fallback;
    return html`<label>
      ${label}
      <select
        class="field"
        @change=${({ target }: Event) => this.choose(name, (target as HTMLSelectElement).value, fallback)}
      >
        ${fallback === '' ? html`<option value="" ?selected=${value === ''}>any</option>` : nothing}
        ${options.map(
          (option) => html`<option value=${option} ?selected=${option === value}>${wordOf(option)}</option>`,
        )}
      </select>
    </label>`;
  }

  private renderText({ name, label, type = 'text' }: FilterField): TemplateResult {
    const value = this.place.filters[name] ?? '';
    const isTime = type === 'time';
    const isSearch = type === 'search';
    return html`<label class=${isSearch ? 'search' : ''}>
      ${isSearch ? html`${icons.search}<span class="visually-hidden">${label}</span>` : label}
      <input
        class="field"
        type=${isTime ? 'datetime-local' : isSearch ? 'search' : 'text'}
        maxlength="256"
        autocomplete="off"
        spellcheck="false"
        placeholder=${isSearch ? label : nothing}
        ?data-search=${isSearch}
        .value=${isTime ? toLocalTime(value) : value}
        @input=${({ target }: Event) => this.type(name, (target as HTMLInputElement).value, isTime)}
      />
    </label>`;
  }

  private choose(name: string, value: string, fallback: string): void {
    this.router.filter({ [name]: value === fallback ? '' : value });
  }

  private type(name: string, value: string, isTime: boolean): void {
    clearTimeout(this.#typing);
    const filter = isTime ? fromLocalTime(value) : value.trim();
    this.#typing = setTimeout(() => this.router.filter({ [name]: filter }, 'replace'), TYPING_MS);
  }
}

/** Returns the values of the filters that the address names. */
export function readFilters(fields: readonly FilterField[], { filters }: Place): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const value = filters[name] ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}

/** Describes the filters that the address names, as chips that remove them. */
export function listChips(fields: readonly FilterField[], place: Place, router: Router): readonly FilterChip[] {
  const values = readFilters(fields, place);
  return fields.flatMap(({ name, label, type }) => {
    const value = values[name];
    if (value === undefined) return [];
    const shown = type === 'time' ? toLocalTime(value).replace('T', ' ') : value;
    return [{ label: `${label}: ${shown}`, remove: () => router.filter({ [name]: '' }) }];
  });
}

function wordOf(option: string): string {
  const { word } = describeState(option);
  return word === option ? option.replaceAll('_', ' ') : word;
}

/** Returns the value of a field for date and time in the reader's zone. @param time Unix milliseconds; empty for none */
function toLocalTime(time: string): string {
  const at = Number(time);
  if (time === '' || !Number.isSafeInteger(at)) return '';
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 16);
}

function fromLocalTime(value: string): string {
  return value === '' ? '' : String(new Date(value).getTime());
}

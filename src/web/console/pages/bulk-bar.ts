import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '../act.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { formatCount } from '../format.js';
import type { ConsoleList } from '../list.js';
import { runBulk, type BulkProgress } from './bulk.js';

/** Most rows that are selected at once. */
const MAX_SELECTED = 1_000;

/** The actions on the selected rows. Counts are written for people: "1,200". */
export interface BulkAction {
  /** "Discard" */
  readonly verb: string;
  /** "discarded" */
  readonly done: string;
  /** The heading of the question: "Discard 12 answers?" */
  readonly question: (count: string) => string;
  /** The effect: "12 answers are deleted." */
  readonly effect: (count: string) => string;
  /** For what a second press is enough, while each row was selected by itself: "Send 12 again?" */
  readonly warning?: (count: string) => string;
  /** Acts on one row. */
  readonly work: (key: string) => Promise<unknown>;
}

/**
 * The actions on the rows of a list that are selected, and how far one is. Rows that come later are never among them. What
 * destroys, and what concerns all rows of a list, wants the number typed. Rows with which it failed stay selected.
 */
@customElement('console-bulk')
export class ConsoleBulk extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  /** Null until the list is drawn. */
  @property({ attribute: false }) list: ConsoleList | null = null;
  /** "Selected dead letters" */
  @property() label = '';
  @property({ attribute: false }) actions: readonly BulkAction[] = [];
  @state() private progress: BulkProgress | undefined;
  @state() private isReading = false;
  /** True if the rows were not selected one by one. */
  private areAll = false;
  private stop: AbortController | undefined;
  private unsubscribe = () => {};

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop?.abort();
    this.unsubscribe();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('list')) return;
    this.unsubscribe();
    const { list } = this;
    const update = () => this.requestUpdate();
    list?.addEventListener('check', update);
    this.unsubscribe = () => list?.removeEventListener('check', update);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.progress) return this.renderProgress(this.progress);
    const keys = [...(this.list?.checked ?? [])];
    if (keys.length === 0) {
      this.areAll = false;
      return nothing;
    }
    return html`<div class="bulk" role="region" aria-label=${this.label}>
      <span role="status">${formatCount(keys.length)} selected</span>
      ${this.actions.map((action) => this.renderAction(action, keys))} ${this.renderAll()}
      <button type="button" class="quiet" @click=${() => this.list?.uncheck()}>Select none</button>
    </div>`;
  }

  private renderAction(action: BulkAction, keys: readonly string[]): TemplateResult {
    const { verb, warning } = action;
    const count = formatCount(keys.length);
    if (warning && !this.areAll)
      return html`<console-action
        .app=${this.app}
        label="${verb} ${count}"
        warning=${warning(count)}
        .run=${() => this.runAll(action, keys)}
      ></console-action>`;
    return html`<console-action
      .app=${this.app}
      look=${warning ? 'plain' : 'danger'}
      label="${verb} ${count}…"
      .run=${() => this.ask(action, keys)}
    ></console-action>`;
  }

  private renderAll(): TemplateResult | typeof nothing {
    if (this.isReading) return html`<span class="faint">Reading…</span>`;
    if (!this.list?.hasUnchecked) return nothing;
    return html`<button type="button" class="quiet" @click=${this.checkAll}>Select all matching</button>`;
  }

  private renderProgress({ done, total }: BulkProgress): TemplateResult {
    return html`<div class="bulk" role="status">
      <progress max=${total} value=${done} aria-label="Progress"></progress>
      <span>${formatCount(done)} of ${formatCount(total)}</span>
      <button type="button" class="plain" @click=${() => this.stop?.abort()}>Stop</button>
    </div>`;
  }

  private async checkAll(): Promise<void> {
    this.isReading = true;
    this.areAll = true;
    const isWhole = await this.list?.checkAll(MAX_SELECTED);
    this.isReading = false;
    if (isWhole === false) this.app.act.say(`Not more than ${formatCount(MAX_SELECTED)} can be selected at once.`);
  }

  private async ask(action: BulkAction, keys: readonly string[]): Promise<void> {
    const count = formatCount(keys.length);
    const isAgreed = await this.app.act.ask({
      heading: action.question(count),
      effect: `${action.effect(count)} It concerns those that were selected, and none that came later.`,
      verb: `${action.verb} ${count}`,
      typed: String(keys.length),
    });
    if (isAgreed) await this.runAll(action, keys);
  }

  private async runAll({ work, done: past }: BulkAction, keys: readonly string[]): Promise<void> {
    const { signal } = (this.stop = new AbortController());
    this.progress = { done: 0, total: keys.length, failures: new Map() };
    const { done, failures } = await runBulk(keys, work, (progress) => (this.progress = progress), signal);
    this.progress = undefined;
    this.list?.checkOnly([...failures.keys()]);
    const [first] = failures.values();
    const why =
      first === undefined ? '' : ` ${formatCount(failures.size)} failed and stay selected: ${describeError(first)}`;
    this.app.act.say(`${formatCount(done - failures.size)} of ${formatCount(keys.length)} ${past}.${why}`);
  }
}

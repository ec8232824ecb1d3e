import { html, LitElement, nothing, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import { toVisibleText } from '../../protocol/visible-text.js';
import { SecondPress } from '../design/second-press.js';
import { Toast } from '../design/toast.js';
import type { ConsoleContext } from './context.js';
import { describeError } from './failure.js';
import { keepFocus } from './keep-focus.js';
import type { Me } from './me.js';
import { consoleTexts } from './texts.js';

/** A question before something that cannot be undone. */
export interface Question {
  readonly heading: string;
  /** The effect, with the numbers of lost messages. */
  readonly effect: string;
  /** The word on the button: "Delete". */
  readonly verb: string;
  /** A word that has to be typed, for what concerns many things. */
  readonly typed?: string;
}

/** Toasts, questions, and the outcome of actions: one of each for the console. */
export class Actions {
  readonly #toast: Toast;
  readonly #dialog = createRef<HTMLDialogElement>();
  #question: Question | undefined;
  #answer: ((isAgreed: boolean) => void) | undefined;
  #typed = '';

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly me: Pick<Me, 'principal'>,
  ) {
    this.#toast = new Toast(host);
  }

  /** Says for some seconds what was done. */
  say(text: string): void {
    this.#toast.show(toVisibleText(text));
  }

  /** Says what was done, and offers for 8 seconds to undo it. */
  offerUndo(text: string, undo: () => Promise<unknown>): void {
    this.#toast.show(toVisibleText(text), consoleTexts.act.undo, () => void this.run(undo));
  }

  /** Runs an action. Says why if it fails. Resolves with whether it has succeeded. */
  async run(work: () => Promise<unknown>, done?: string): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      this.say(describeError(error));
      return false;
    }
    if (done !== undefined) this.say(done);
    return true;
  }

  /** Asks before something that cannot be undone. Resolves with whether the person agrees. */
  async ask(question: Question): Promise<boolean> {
    this.#answer?.(false);
    this.#question = question;
    this.#typed = '';
    this.host.requestUpdate();
    await this.host.updateComplete;
    const agreed = new Promise<boolean>((resolve) => (this.#answer = resolve));
    this.#dialog.value?.showModal();
    return agreed;
  }

  render(): TemplateResult {
    return html`${this.#toast.render()}${this.#question ? this.#renderQuestion(this.#question) : nothing}`;
  }

  #renderQuestion({ heading, effect, verb, typed }: Question): TemplateResult {
    return html`<dialog
      ${ref(this.#dialog)}
      class="dialog question"
      aria-labelledby="question-heading"
      aria-describedby="question-effect"
      @close=${() => this.#settle(this.#dialog.value?.returnValue === 'yes')}
    >
      <form method="dialog" @submit=${(event: Event) => this.#check(event, typed)}>
        <h2 id="question-heading">${toVisibleText(heading)}</h2>
        <p id="question-effect">${toVisibleText(effect)}</p>
        <p class="faint">${consoleTexts.act.audit(this.me.principal)}</p>
        ${
          typed === undefined
            ? nothing
            : html`<label class="typed"
                >${consoleTexts.act.typeToConfirm(typed)}
                <input
                  class="field"
                  autocomplete="off"
                  spellcheck="false"
                  .value=${this.#typed}
                  @input=${({ target }: Event) => {
                    this.#typed = (target as HTMLInputElement).value;
                    this.host.requestUpdate();
                  }}
              /></label>`
        }
        <div class="buttons">
          <button type="submit" value="no" class="plain" autofocus>${consoleTexts.act.cancel}</button>
          <button type="submit" value="yes" class="danger" ?disabled=${typed !== undefined && this.#typed !== typed}>
            ${verb}
          </button>
        </div>
      </form>
    </dialog>`;
  }

  /** The Enter key of the field presses the first button, which is Cancel. */
  #check(event: Event, typed: string | undefined): void {
    const { submitter } = event as SubmitEvent;
    const isKey = typed !== undefined && this.#typed === typed && document.activeElement?.localName === 'input';
    if (!isKey || (submitter as HTMLButtonElement | null)?.value === 'yes') return;
    event.preventDefault();
    this.#dialog.value?.close('yes');
  }

  #settle(isAgreed: boolean): void {
    this.#question = undefined;
    this.host.requestUpdate();
    this.#answer?.(isAgreed);
    this.#answer = undefined;
  }
}

/**
 * A button that does something. Without the scope it is disabled, and says which one it needs. With a `warning` it acts at the
 * second press only, and shows the warning until then. While it acts it cannot be pressed again.
 */
@customElement('console-action')
export class ConsoleAction extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property() label = '';
  /** The scope that the action needs: `admin:write`. */
  @property() scope = 'admin:write';
  /** The question of the first press: "Cancel it?"; empty for none. */
  @property() warning = '';
  /** `main` for the one thing to do, `danger` for what destroys, `quiet` within a row. */
  @property() look: 'plain' | 'main' | 'danger' | 'quiet' = 'plain';
  @property({ attribute: false }) icon: unknown = nothing;
  @property({ type: Boolean }) disabled = false;
  /** Acts. A failure is said in a toast. */
  @property({ attribute: false }) run!: () => Promise<unknown>;
  /** The text of the toast after success; none if it is empty. */
  @property() done = '';
  @state() private isBusy = false;
  private readonly presses = new SecondPress(this);

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { label, scope, warning, look, icon } = this;
    const { isAsking } = this.presses;
    const isAllowed = this.app.me.may(scope);
    return html`<button
        type="button"
        class="${look} ${isAsking ? 'asks' : ''}"
        title=${isAllowed ? nothing : consoleTexts.act.needs(scope)}
        ?disabled=${!isAllowed || this.isBusy || this.disabled}
        @click=${this.press}
      >
        ${icon}<span>${toVisibleText(isAsking ? warning : label)}</span></button
      >${isAllowed ? nothing : html`<span class="needs">${consoleTexts.act.needs(scope)}</span>`}`;
  }

  private press(): void {
    if (this.presses.counts(this.warning)) void this.act();
  }

  private async act(): Promise<void> {
    const restore = keepFocus(this);
    this.isBusy = true;
    await this.app.act.run(this.run, this.done === '' ? undefined : this.done);
    this.isBusy = false;
    // After what the action has changed was drawn.
    setTimeout(restore);
  }
}

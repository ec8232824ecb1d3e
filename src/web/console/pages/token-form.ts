import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { createRef, ref } from 'lit/directives/ref.js';
import { announce } from '../../design/announce.js';
import { copyText } from '../../design/clipboard.js';
import '../act.js';
import type { ConsoleContext } from '../context.js';
import { describeError } from '../failure.js';
import { ROLE_SCOPES } from './api-names.js';
import { FormValues } from './form-values.js';

const DAY_MS = 86_400_000;
/** Lifetimes to choose from, in days; 0 for none. */
const LIFETIMES = [1, 7, 30, 90, 365, 0];

/** A token that was just made. */
interface MadeToken {
  readonly principal: string;
  readonly token: string;
}

/** A command that makes a token, and shows its secret once. Dispatches `made`. */
@customElement('console-token-form')
export class ConsoleTokenForm extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @state() private chosenRole = 'operator';
  @state() private made: MadeToken | undefined;
  @state() private error: unknown;
  private readonly dialog = createRef<HTMLDialogElement>();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<console-action
        .app=${this.app}
        look="main"
        scope="tokens:write"
        label="Make a token…"
        .run=${async () => this.dialog.value?.showModal()}
      ></console-action>
      <dialog ${ref(this.dialog)} class="dialog" aria-labelledby="token-heading" @close=${this.forget}>
        <h2 id="token-heading">${this.made ? `The token of ${this.made.principal}` : 'Make a token'}</h2>
        ${this.made ? this.renderSecret(this.made) : this.renderForm()}
      </dialog>`;
  }

  private renderForm(): TemplateResult {
    return html`<form class="stack" @submit=${this.create}>
      <label
        ><span>Name: whom it speaks for</span
        ><input class="field" name="principal" required maxlength="256" autocomplete="off" spellcheck="false"
      /></label>
      <label>
        <span>Role</span>
        <select
          class="field"
          name="role"
          @change=${({ target }: Event) => (this.chosenRole = (target as HTMLSelectElement).value)}
        >
          ${Object.keys(ROLE_SCOPES).map((role) => html`<option ?selected=${role === this.chosenRole}>${role}</option>`)}
        </select>
      </label>
      ${this.renderScopes()}
      <label
        ><span>Bound to channels, separated by commas; empty: to none</span
        ><input class="field" name="channels" autocomplete="off" spellcheck="false"
      /></label>
      <label>
        <span>Ends after</span>
        <select class="field" name="days">
          ${LIFETIMES.map(
            (days) =>
              html`<option value=${days} ?selected=${days === 30}>
                ${days === 0 ? 'never' : days === 1 ? '1 day' : `${days} days`}
              </option>`,
          )}
        </select>
      </label>
      ${this.error === undefined ? nothing : html`<p class="trouble" role="alert">${describeError(this.error)}</p>`}
      <div class="buttons">
        <button type="button" class="plain" @click=${this.close}>Cancel</button>
        <button class="main">Make it</button>
      </div>
    </form>`;
  }

  private renderScopes(): TemplateResult {
    const { me } = this.app;
    return html`<fieldset>
      <legend>Scopes; never more than you have</legend>
      ${(ROLE_SCOPES[this.chosenRole] ?? []).map(
        (scope) =>
          html`<label class="check"
            ><input
              type="checkbox"
              name="scopes"
              value=${scope}
              ?disabled=${!me.may(scope)}
              .checked=${scope === 'admin:read'}
            /><span>${scope}</span></label
          >`,
      )}
    </fieldset>`;
  }

  private renderSecret({ token }: MadeToken): TemplateResult {
    return html`<p>Copy it now. It is shown this once: the gateway keeps only a hash of it.</p>
      <p class="secret"><code>${token}</code></p>
      <div class="buttons">
        <button type="button" class="plain" @click=${() => this.copy(token)}>Copy</button>
        <button type="button" class="main" @click=${this.close}>Done</button>
      </div>`;
  }

  private readonly create = async (event: SubmitEvent): Promise<void> => {
    const form = new FormValues(event);
    const days = Number(form.text('days'));
    const channels = form.words('channels');
    const wish = {
      principal: form.text('principal'),
      role: form.text('role'),
      scopes: form.checked('scopes'),
      ...(channels.length > 0 && { channels }),
      ...(days > 0 && { expires_at: Date.now() + days * DAY_MS }),
    };
    try {
      this.made = await this.app.api.post<MadeToken>('/tokens', wish);
      this.error = undefined;
      this.dispatchEvent(new CustomEvent('made'));
    } catch (error) {
      this.error = error;
    }
  };

  private async copy(token: string): Promise<void> {
    announce((await copyText(token)) ? 'Copied' : 'The browser does not allow copying');
  }

  private readonly close = (): void => this.dialog.value?.close();

  /** The secret is in the page no longer than it is shown. */
  private readonly forget = (): void => {
    this.made = undefined;
    this.error = undefined;
  };
}

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { TOKEN_PATTERN } from '../../protocol/constants.js';
import { CHAT, loginAddressOf, offersProvider } from '../model/identity-provider.js';
import { texts } from '../texts.js';

/** Prompts for a token. Dispatches `sign-in` with it, or `go-back`. */
@customElement('chat-sign-in')
export class ChatSignIn extends LitElement {
  /** Why the last attempt failed. */
  @property() problem = '';
  /** The state of the connection while a token is being tried. */
  @property() trying = '';
  /** True when the person may go back to the page as it was. */
  @property({ type: Boolean }) leadsBack = false;
  /** The page that signs in. */
  @property({ attribute: false }) page = CHAT;
  @state() private isShown = false;
  @state() private isMalformed = false;
  /** True if an identity provider signs people in. */
  @state() private hasProvider = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    this.querySelector('input')?.focus();
    void offersProvider(this.page).then((isOffered) => (this.hasProvider = isOffered));
  }

  protected override render(): TemplateResult {
    const problem = this.isMalformed ? texts.signIn.malformed : this.problem;
    return html`<main class="card">
      <h1>${texts.signIn.heading}</h1>
      ${this.hasProvider ? this.renderProvider() : nothing}
      <p>${texts.signIn.explanation}</p>
      <form @submit=${this.submit} novalidate>
        <label for="token">${texts.signIn.label}</label>
        <div class="field">
          <input
            id="token"
            name="token"
            type=${this.isShown ? 'text' : 'password'}
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            dir="ltr"
            aria-invalid=${problem === '' ? nothing : 'true'}
            aria-describedby=${problem === '' ? 'token-hint' : 'token-problem token-hint'}
            @input=${() => (this.isMalformed = false)}
          />
          <button
            type="button"
            class="quiet"
            aria-pressed=${this.isShown}
            aria-controls="token"
            @click=${() => (this.isShown = !this.isShown)}
          >
            ${this.isShown ? texts.signIn.hide : texts.signIn.show}
          </button>
        </div>
        <div role="alert">${problem === '' ? nothing : html`<p class="trouble" id="token-problem">${problem}</p>`}</div>
        <button type="submit" class="main" ?disabled=${this.trying !== ''}>
          ${this.trying || texts.signIn.submit}
        </button>
        ${
          this.leadsBack
            ? html`<button type="button" class="plain" @click=${() => this.dispatchEvent(new CustomEvent('go-back'))}>
                ${texts.signIn.cancel}
              </button>`
            : nothing
        }
      </form>
      <p class="faint" id="token-hint">${texts.signIn.hint}</p>
    </main>`;
  }

  private renderProvider(): TemplateResult {
    return html`<p>
      <button type="button" class="main" @click=${() => location.assign(loginAddressOf(this.page))}>
        ${texts.signIn.provider}
      </button>
    </p>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const token = this.querySelector('input')?.value.trim() ?? '';
    this.isMalformed = !TOKEN_PATTERN.test(token);
    if (this.isMalformed) return;
    this.dispatchEvent(new CustomEvent<string>('sign-in', { detail: token }));
  }
}

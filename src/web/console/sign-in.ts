import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import '../sign-in/sign-in-form.js';
import type { SigningPage } from '../model/identity-provider.js';
import { CODE_FRAGMENT, exchangeCode } from '../sign-in/page-code.js';
import { texts } from '../texts.js';
import { Api, ApiError } from './api.js';
import { Me, type MeAnswer } from './me.js';
import type { ConsoleSession } from './session.js';
import { consoleTexts } from './texts.js';

/** The reason why the person is not signed in, as a sentence for the form; empty before the first attempt. */
export interface NoSignIn {
  readonly problem: string;
}

/** Finds out who is signed in. @param token undefined in open mode, and for a cookie */
export async function findMe(root: string, token: string | undefined): Promise<Me | NoSignIn> {
  try {
    const api = new Api(root, { token, tenant: undefined, refused: () => {} });
    return new Me(await api.get<MeAnswer>('/me'));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { user, unreachable } = consoleTexts.signIn;
    if (error.status === 401) return { problem: token === undefined ? '' : texts.signIn.wrong };
    if (error.status === 403) return { problem: user };
    return { problem: error.isUnreachable ? unreachable : error.message };
  }
}

/** Takes the code of a link out of the address, and exchanges it for a token. Returns why that failed; undefined without a code. */
export async function redeemLink(root: string, session: ConsoleSession): Promise<NoSignIn | undefined> {
  const code = CODE_FRAGMENT.exec(location.hash)?.[1];
  if (code === undefined) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  const outcome = await exchangeCode(code, root);
  if ('failure' in outcome) return { problem: texts.signIn.code[outcome.failure] };
  session.token = outcome.token;
  return undefined;
}

/** Asks for a token, or leads to the identity provider. Dispatches `signed-in` with who it is. */
@customElement('console-sign-in')
export class ConsoleSignIn extends LitElement {
  /** The address of the gateway. */
  @property() root = '';
  @property({ attribute: false }) session!: ConsoleSession;
  @property() problem = '';
  @state() private isTrying = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const page: SigningPage = { root: this.root, name: 'console' };
    return html`<chat-sign-in
      .page=${page}
      .problem=${this.problem}
      .trying=${this.isTrying ? consoleTexts.signIn.trying : ''}
      @sign-in=${(event: CustomEvent<string>) => this.try(event.detail)}
    ></chat-sign-in>`;
  }

  private async try(token: string): Promise<void> {
    this.isTrying = true;
    const me = await findMe(this.root, token);
    this.isTrying = false;
    if (!(me instanceof Me)) {
      this.problem = me.problem;
      return;
    }
    this.session.token = token;
    this.dispatchEvent(new CustomEvent<Me>('signed-in', { detail: me }));
  }
}

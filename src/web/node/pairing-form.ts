import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { pairNode, PairingRefusedError, type NodeStorage } from '../../client/node/browser.js';
import { texts } from './texts.js';

const UNAUTHORIZED = 401;
const TOO_MANY = 429;

/** Asks for the code of a pairing. Dispatches `paired`. */
@customElement('node-pairing')
export class NodePairing extends LitElement {
  @property({ attribute: false }) storage!: NodeStorage;
  /** The folder of the page's address: a proxy may serve the gateway below a path. */
  @property() url = '';
  /** From the link, if the page was opened by one. */
  @property() code = '';
  @state() private problem = '';
  @state() private isWorking = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { pairing } = texts;
    return html`<form @submit=${this.submit}>
      <p>${pairing.explanation}</p>
      <label
        >${pairing.code}<input
          name="code"
          required
          maxlength="16"
          autocomplete="off"
          spellcheck="false"
          .value=${this.code}
          aria-describedby=${this.problem === '' ? nothing : 'problem'}
      /></label>
      <label
        >${pairing.name}<input name="name" required maxlength="100" autocomplete="off" .value=${guessName()}
      /></label>
      <div role="alert">
        ${this.problem === '' ? nothing : html`<p class="trouble" id="problem">${this.problem}</p>`}
      </div>
      <button class="main" ?disabled=${this.isWorking}>${this.isWorking ? pairing.working : pairing.submit}</button>
    </form>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    this.isWorking = true;
    try {
      const { url, storage } = this;
      const [code = '', name = ''] = ['code', 'name'].map((field) => (fields.get(field) as string).trim());
      await pairNode({ url, code, name, platform: 'browser', storage });
      this.dispatchEvent(new CustomEvent('paired'));
    } catch (error) {
      this.problem = describe(error);
    } finally {
      this.isWorking = false;
    }
  }
}

function describe(error: unknown): string {
  const { pairing } = texts;
  if (error instanceof PairingRefusedError) {
    if (error.status === UNAUTHORIZED) return pairing.refused;
    return error.status === TOO_MANY ? pairing.throttled : error.message;
  }
  return error instanceof DOMException && error.name === 'NotSupportedError'
    ? pairing.unsupported
    : pairing.unreachable;
}

/** A name that a person can improve. */
function guessName(): string {
  const known = [/iPhone/, /iPad/, /Android/, /Macintosh/, /Windows/, /Linux/];
  const found = known.find((pattern) => pattern.test(navigator.userAgent))?.source ?? 'Browser';
  return found === 'Macintosh' ? 'Mac' : found;
}

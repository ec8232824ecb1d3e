import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import {
  IndexedDbNodeStorage,
  NodeClient,
  NodeIdentity,
  StorageInUseError,
  type CommandContext,
  type NodeCommandSetup,
  type NodeState,
} from '../../client/node/browser.js';
import { OFFERS, type Offer, type Permission } from './offers.js';
import './pairing-form.js';
import { texts } from './texts.js';

const MAX_SHOWN_CALLS = 5;

/** The page: it pairs this browser, then serves its commands while it is in front. */
@customElement('node-page')
export class NodePage extends LitElement {
  /** The code of the link that opened the page. */
  code = '';
  /** The address of the gateway. */
  url = '';
  @state() private client: NodeClient | undefined;
  @state() private line: NodeState = { name: 'idle' };
  @state() private permissions: ReadonlyMap<string, Permission> = new Map();
  @state() private calls: readonly string[] = [];
  @state() private isKept = true;
  @state() private isReady = false;
  /** Why this tab cannot be the device. */
  @state() private trouble: string | undefined;
  private readonly storage = new IndexedDbNodeStorage();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', () => this.client?.setHidden(document.visibilityState === 'hidden'));
    if (isSecureContext) void this.open();
  }

  protected override render(): TemplateResult {
    return html`<main>
      <h1>${texts.heading}</h1>
      ${isSecureContext ? (this.client ? this.renderDevice(this.client) : this.renderPairing()) : renderInsecure()}
    </main>`;
  }

  private renderPairing(): TemplateResult | typeof nothing {
    if (this.trouble !== undefined) return html`<p class="trouble" role="status">${this.trouble}</p>`;
    if (!this.isReady) return nothing;
    return html`<node-pairing
      .storage=${this.storage}
      .url=${this.url}
      .code=${this.code}
      @paired=${() => this.open()}
    ></node-pairing>`;
  }

  private renderDevice({ nodeId }: NodeClient): TemplateResult {
    return html`<p><strong>${nodeId}</strong></p>
      <p class="state" role="status" data-state=${this.line.name}>${texts.states[this.line.name]}</p>
      <ul>
        ${OFFERS.map((offer) => this.renderOffer(offer))}
      </ul>
      ${this.isKept ? nothing : html`<p class="faint">${texts.notKept}</p>`}
      <h2>${texts.activity}</h2>
      ${
        this.calls.length === 0
          ? html`<p class="faint">${texts.nothing}</p>`
          : html`<ol>
              ${this.calls.map((call) => html`<li>${call}</li>`)}
            </ol>`
      }
      <button class="plain" @click=${this.forget}>${texts.forget}</button>`;
  }

  private renderOffer(offer: Offer): TemplateResult {
    const { name, text } = texts.offers[offer.key];
    const permission = this.permissions.get(offer.key) ?? 'prompt';
    const note = permission === 'denied' ? texts.denied : permission === 'missing' ? texts.missing : text;
    const isOpen = permission === 'prompt';
    return html`<li>
      <strong>${name}</strong>
      <p>${note}</p>
      ${
        isOpen
          ? html`<button class="plain" aria-label="${texts.allow}: ${name}" @click=${() => this.ask(offer)}>
              ${texts.allow}
            </button>`
          : permission === 'granted'
            ? html`<span class="faint">${texts.allowed}</span>`
            : nothing
      }
    </li>`;
  }

  private async open(): Promise<void> {
    this.isKept = await this.keepStorage();
    const commands = OFFERS.map(({ command }) => this.watch(command));
    const options = { url: this.url, storage: this.storage, commands, platform: 'browser' };
    let client: NodeClient | undefined;
    try {
      client = await NodeClient.open(options);
      this.trouble = undefined;
    } catch (error) {
      void this.wait(error);
    }
    this.isReady = true;
    if (!client) return;
    client.on('state', (line) => (this.line = line));
    client.setHidden(document.visibilityState === 'hidden');
    client.connect();
    this.client = client;
    await this.readPermissions();
  }

  /** Says why this tab is not the device. Takes the place of another tab when that one is closed. */
  private async wait(reason: unknown): Promise<void> {
    const isElsewhere = reason instanceof StorageInUseError;
    this.trouble = isElsewhere ? texts.elsewhere : texts.noStorage;
    if (!isElsewhere) return;
    await this.storage.whenFree();
    await this.open();
  }

  /** Asks the browser not to delete the key. */
  private async keepStorage(): Promise<boolean> {
    return (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  }

  /** Shows each call of a command. */
  private watch(command: NodeCommandSetup): NodeCommandSetup {
    return {
      ...command,
      run: (parameters, context: CommandContext) => {
        const time = new Date().toLocaleTimeString();
        this.calls = [`${time} ${command.name}`, ...this.calls].slice(0, MAX_SHOWN_CALLS);
        return command.run(parameters, context);
      },
    };
  }

  private async ask(offer: Offer): Promise<void> {
    await offer.ask().catch(() => {});
    await this.readPermissions();
  }

  private async readPermissions(): Promise<void> {
    const found = await Promise.all(OFFERS.map(async (offer) => [offer.key, await offer.permission()] as const));
    this.permissions = new Map(found);
  }

  private async forget(): Promise<void> {
    this.client?.close();
    await NodeIdentity.forget(this.storage);
    this.client = undefined;
    this.code = '';
  }
}

function renderInsecure(): TemplateResult {
  return html`<p class="trouble">${texts.insecure.text}</p>
    <p>${texts.insecure.help}</p>`;
}

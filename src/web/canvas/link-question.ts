import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { texts } from '../texts.js';
import { isWebLink } from './web-link.js';

/** Asks the person before an address that a surface wants to open is opened. */
export class LinkQuestion implements ReactiveController {
  #address: string | undefined;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#address = undefined;
  }

  /** Asks about an address, in place of the one before. Anything but an address of the web is dropped. */
  ask(address: unknown): void {
    if (isWebLink(address)) this.#set(address);
  }

  /** Drops the question. */
  end(): void {
    this.#set(undefined);
  }

  render(): TemplateResult | typeof nothing {
    const address = this.#address;
    if (address === undefined) return nothing;
    const follow = () => {
      window.open(address, '_blank', 'noopener,noreferrer');
      this.end();
    };
    return html`<div class="trouble" role="alert">
      <p dir="auto">${texts.canvas.link(address)}</p>
      <button type="button" class="plain" @click=${follow}>${texts.canvas.follow}</button>
      <button type="button" class="plain" @click=${() => this.end()}>${texts.canvas.stay}</button>
    </div>`;
  }

  #set(address: string | undefined): void {
    this.#address = address;
    this.host.requestUpdate();
  }
}

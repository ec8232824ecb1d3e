import { html, nothing, type ReactiveControllerHost, type TemplateResult } from 'lit';

const SHOWN_FOR_MS = 8_000;

/** The text of a toast, and one command that it may offer. */
interface Message {
  readonly text: string;
  readonly offer?: { readonly label: string; readonly act: () => void };
}

/** A note at the edge of the page. It reports for some seconds what has happened, and may offer to undo it. */
export class Toast {
  #message: Message | undefined;

  constructor(private readonly host: ReactiveControllerHost) {}

  /** Offers to reload the page until another text comes. */
  offerReload(text: string, label: string): void {
    this.#set({ text, offer: { label, act: () => location.reload() } });
  }

  show(text: string, label?: string, act?: () => void): void {
    const message = { text, ...(label !== undefined && act && { offer: { label, act } }) };
    this.#set(message);
    setTimeout(() => {
      if (this.#message === message) this.#set(undefined);
    }, SHOWN_FOR_MS);
  }

  render(): TemplateResult {
    return html`<div class="toast-place" role="status">
      ${this.#message ? this.#renderMessage(this.#message) : nothing}
    </div>`;
  }

  #renderMessage({ text, offer }: Message): TemplateResult {
    return html`<p class="toast">
      <span>${text}</span>
      ${
        offer
          ? html`<button type="button" class="quiet" @click=${() => this.#accept(offer.act)}>${offer.label}</button>`
          : nothing
      }
    </p>`;
  }

  #accept(act: () => void): void {
    this.#set(undefined);
    act();
  }

  #set(message: Message | undefined): void {
    this.#message = message;
    this.host.requestUpdate();
  }
}

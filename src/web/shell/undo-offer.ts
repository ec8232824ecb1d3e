import { html, nothing, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { texts } from '../texts.js';

const OFFERED_FOR_MS = 8_000;

/** Offers to undo the removal of a conversation, for a limited time. */
export class UndoOffer {
  #undo: (() => void) | undefined;

  constructor(private readonly host: ReactiveControllerHost) {}

  offer(putBack: () => void): void {
    const undo = () => {
      putBack();
      this.#show(undefined);
    };
    this.#show(undo);
    setTimeout(() => {
      if (this.#undo === undo) this.#show(undefined);
    }, OFFERED_FOR_MS);
  }

  render(): TemplateResult {
    return html`<div class="toast-place" role="status">
      ${
        this.#undo
          ? html`<p class="toast">
              ${texts.conversations.removed}<button type="button" class="quiet" @click=${this.#undo}>
                ${texts.conversations.undo}
              </button>
            </p>`
          : nothing
      }
    </div>`;
  }

  #show(undo: (() => void) | undefined): void {
    this.#undo = undo;
    this.host.requestUpdate();
  }
}

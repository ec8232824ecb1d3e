import { html, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from 'lit';
import type { StreamBlock } from '../../client/index.js';
import { describeBlock } from '../blocks/blocks.js';
import type { Chat } from '../model/chat.js';

/** Maximum number of blocks read out at once, and of characters of each. */
const MAX_BLOCKS = 10;
const MAX_LENGTH = 600;

/** Makes screen readers read each block of the shown conversation when it is complete, not while it grows. */
export class ReadOut implements ReactiveController {
  readonly #completed: StreamBlock[] = [];
  #text = '';

  constructor(
    host: ReactiveControllerHost,
    private readonly findChat: () => Chat,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.findChat().blockCompleted.subscribe((block) => this.#completed.push(block));
  }

  hostUpdate(): void {
    const completed = this.#completed.splice(0).slice(-MAX_BLOCKS);
    if (completed.length > 0) this.#text = completed.map(describe).join(' ');
  }

  render(): TemplateResult {
    return html`<p class="visually-hidden" aria-live="polite">${this.#text}</p>`;
  }
}

function describe(block: StreamBlock): string {
  const text = describeBlock(block);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

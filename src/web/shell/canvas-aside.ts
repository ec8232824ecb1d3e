import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import { lazyPart } from '../design/lazy-part.js';
import type { Chat } from '../model/chat.js';
import { findSurface, isActing, readSurface, type Surface } from '../model/surfaces.js';
import { texts } from '../texts.js';
import type { Places } from './places.js';

const loadSurfaceView = lazyPart(() => import('../canvas/surface-view.js'));

/** Windows that are narrower show a surface over the conversation. */
const isNarrow = matchMedia('(width < 72rem)');

/** The element that has the surface beside the conversation; a page of the chat is built of one. */
type Host = ReactiveControllerHost & HTMLElement;

/** The surface beside the conversation, or over it in a narrow window. */
export class CanvasAside implements ReactiveController {
  #returnTo: HTMLElement | undefined;
  #shown: string | undefined;

  constructor(
    private readonly host: Host,
    private readonly find: () => { readonly chat: Chat; readonly places: Places },
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    const { chat } = this.find();
    isNarrow.addEventListener('change', () => this.host.requestUpdate());
    this.host.addEventListener('open-surface', (event) => this.open((event as CustomEvent<string>).detail));
    chat.blockCompleted.subscribe((block) => {
      const surface = readSurface(block);
      // Over the conversation it would come up under a finger: there the person opens it.
      if (surface && !surface.closed && !isNarrow.matches) this.find().places.openSurface(surface.surface_id, false);
    });
  }

  /** Handles the place of the address. */
  show(surfaceId: string | undefined): void {
    if (surfaceId !== undefined) loadSurfaceView();
    if (surfaceId === this.#shown) return;
    const wasShown = this.#shown !== undefined;
    this.#shown = surfaceId;
    this.host.requestUpdate();
    // The element under it takes the focus only once it is shown again.
    if (wasShown && surfaceId === undefined) void this.host.updateComplete.then(() => this.#returnTo?.focus());
  }

  /** True while it lies over the conversation. */
  get isOver(): boolean {
    return this.#shown !== undefined && isNarrow.matches;
  }

  get isOpen(): boolean {
    return this.#shown !== undefined;
  }

  /** Closes it if the focus is in it. Returns whether it was. */
  leave(target: EventTarget | null): boolean {
    if (!(target instanceof Element) || !target.closest('.canvas')) return false;
    this.find().places.closeSurface();
    return true;
  }

  render(): TemplateResult | typeof nothing {
    const { chat, places } = this.find();
    const { active: conversation } = chat;
    if (this.#shown === undefined || !conversation) return nothing;
    const surface = findSurface(conversation.transcript, this.#shown);
    const title = surface?.title ?? texts.block.canvas;
    return html`<aside class="canvas" aria-label=${title} tabindex="-1">
      <header class="bar">
        <h2 dir="auto">${title}</h2>
        <button
          type="button"
          class="icon-button"
          aria-label=${texts.canvas.close}
          title=${texts.canvas.close}
          @click=${() => places.closeSurface()}
        >
          ${icons.close}
        </button>
      </header>
      ${this.#renderBody(surface, conversation.transcript.isLoaded)}
    </aside>`;
  }

  #renderBody(surface: Surface | undefined, isLoaded: boolean): TemplateResult {
    const { chat } = this.find();
    if (!surface || surface.outdated)
      return html`<p class="note" role="status">${isLoaded ? texts.canvas.absent : texts.thread.loading}</p>`;
    if (surface.closed) return html`<p class="note" role="status">${texts.canvas.closed}</p>`;
    return html`<chat-surface
      .chat=${chat}
      .conversation=${chat.active}
      .surface=${surface}
      .acting=${isActing(chat, surface)}
    ></chat-surface>`;
  }

  private open(surfaceId: string): void {
    const { activeElement } = document;
    this.#returnTo = activeElement instanceof HTMLElement ? activeElement : undefined;
    this.find().places.openSurface(surfaceId, true);
    void this.host.updateComplete.then(() => this.host.querySelector<HTMLElement>('.canvas')?.focus());
  }
}

import type { ReactiveController, ReactiveControllerHost } from 'lit';

/**
 * Distances in pixels: the reader counts as at the end within the first, and earlier messages are loaded within the
 * second.
 */
const AT_END = 48;
const NEAR_BEGINNING = 600;

/** A message, or several folded ones. Headings and notes between them come and go. */
const MESSAGES = '.exchange, .earlier';

/**
 * Keeps the scroll position: at the end, where new text pushes up the old, or otherwise at the topmost message, even
 * when others are inserted before it.
 */
export class ScrollKeeper implements ReactiveController {
  isAtEnd = true;
  #box: HTMLElement | undefined;
  #lastTop = 0;
  #anchor: { readonly element: Element; readonly offset: number } | undefined;
  readonly #resized = new ResizeObserver(() => this.#keep());

  constructor(
    private readonly host: ReactiveControllerHost,
    /** Called when the reader comes near the first message. */
    private readonly nearBeginning: () => void,
  ) {
    host.addController(this);
  }

  /** `box` is the scrolling element; its first child holds all the content. */
  watch(box: HTMLElement | undefined): void {
    if (box === this.#box) return;
    this.#resized.disconnect();
    this.#box = box;
    this.isAtEnd = true;
    if (!box?.firstElementChild) return;
    this.#resized.observe(box);
    this.#resized.observe(box.firstElementChild);
  }

  hostUpdated(): void {
    this.#keep();
    this.#lookAhead();
  }

  hostDisconnected(): void {
    this.watch(undefined);
  }

  toEnd(): void {
    this.isAtEnd = true;
    this.#keep();
    this.host.requestUpdate();
  }

  /** Shows the element in the middle, with the focus on it. */
  show(selector: string): void {
    const element = this.#box?.querySelector<HTMLElement>(selector);
    if (!this.#box || !element) return;
    this.isAtEnd = false;
    element.scrollIntoView({ block: 'center' });
    element.focus({ preventScroll: true });
    this.#remember(this.#box);
    this.host.requestUpdate();
  }

  scrolled(): void {
    const box = this.#box;
    if (!box) return;
    const wasAtEnd = this.isAtEnd;
    // Growing text also moves the end away; only scrolling up leaves it.
    if (box.scrollHeight - box.clientHeight - box.scrollTop < AT_END) this.isAtEnd = true;
    else if (box.scrollTop < this.#lastTop) this.isAtEnd = false;
    this.#lastTop = box.scrollTop;
    this.#remember(box);
    this.#lookAhead();
    if (wasAtEnd !== this.isAtEnd) this.host.requestUpdate();
  }

  #keep(): void {
    const box = this.#box;
    if (!box) return;
    if (this.isAtEnd) box.scrollTop = box.scrollHeight;
    else if (this.#anchor?.element.isConnected)
      box.scrollTop += offsetOf(this.#anchor.element, box) - this.#anchor.offset;
    this.#lastTop = box.scrollTop;
    this.#remember(box);
  }

  /** Remembers the topmost message. At the end there is nothing to be kept. */
  #remember(box: HTMLElement): void {
    const first = this.isAtEnd ? undefined : findTopmost(box);
    this.#anchor = first && { element: first, offset: offsetOf(first, box) };
  }

  #lookAhead(): void {
    if (this.#box && this.#box.scrollTop < NEAR_BEGINNING) this.nearBeginning();
  }
}

function offsetOf(element: Element, box: Element): number {
  return element.getBoundingClientRect().top - box.getBoundingClientRect().top;
}

/** Returns the first message that is not above the box, by halving: a long conversation has thousands of elements. */
function findTopmost(box: HTMLElement): Element | undefined {
  const items = box.firstElementChild?.children;
  if (!items) return undefined;
  const { top } = box.getBoundingClientRect();
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle]?.getBoundingClientRect().bottom ?? top) > top) to = middle;
    else from = middle + 1;
  }
  let item = items[from] ?? null;
  while (item && !item.matches(MESSAGES)) item = item.nextElementSibling;
  return item ?? undefined;
}

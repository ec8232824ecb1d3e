import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ReadingPosition } from '../model/stored-values.js';

/**
 * Distances in pixels: the reader counts as at the end within the first, and earlier messages are loaded within the
 * second.
 */
const AT_END = 48;
const NEAR_BEGINNING = 600;

/** A message, or several folded ones. Headings and notes between them come and go. */
const MESSAGES = '.exchange, .earlier';
const MESSAGE_WITH_REF = '[data-ref]';

/** The parts of a message, from the outermost. What is out of sight is not laid out, so a part moves within its message. */
const PARTS = ['.reply', '.blocks', '.block'];
const BLOCKS = '.blocks > .block';

/** An element whose place is kept, and its distance from the top of the box, in pixels. */
interface Anchor {
  readonly element: Element;
  readonly offset: number;
}

/**
 * Keeps the scroll position: at the end, where new text pushes up the old, or otherwise at the topmost message, even
 * when others are inserted before it.
 */
export class ScrollKeeper implements ReactiveController {
  isAtEnd = true;
  #box: HTMLElement | undefined;
  #lastTop = 0;
  /** The topmost part of the topmost message, then what it is in: a part is replaced when its answer goes on. */
  #anchors: readonly Anchor[] = [];
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
    // Without a message there is a page that begins at its top, however low the window is.
    if (this.#box && !this.#box.querySelector(MESSAGES)) this.#box.scrollTop = 0;
    this.#keep();
    this.host.requestUpdate();
  }

  /** The topmost message and where it stands; undefined at the end, and where that message has no ref. */
  get position(): ReadingPosition | undefined {
    const anchor = this.#anchors.find(({ element }) => element.isConnected);
    if (!anchor) return undefined;
    const { element, offset } = anchor;
    const message = element.closest(MESSAGE_WITH_REF) ?? element.querySelector(MESSAGE_WITH_REF);
    const messageRef = message?.getAttribute('data-ref');
    if (!message || !messageRef) return undefined;
    const part = [...message.querySelectorAll(BLOCKS)].indexOf(element);
    return { messageRef, offset, ...(part >= 0 && { part }) };
  }

  /** Puts a message where it stood. Returns false when it is not on the page. */
  restore({ messageRef, part, offset }: ReadingPosition): boolean {
    const message = this.#find(messageRef);
    if (!message) return false;
    this.isAtEnd = false;
    const block = part === undefined ? undefined : message.querySelectorAll(BLOCKS)[part];
    this.#anchors = [{ element: block ?? message.closest('.earlier') ?? message, offset }];
    this.#keep();
    this.host.requestUpdate();
    return true;
  }

  /** Shows a message in the middle, with the focus on it. Returns false when it is not on the page. */
  show(messageRef: string): boolean {
    const element = this.#find(messageRef);
    if (!this.#box || !element) return false;
    this.isAtEnd = false;
    const folded = element.closest('details');
    if (folded) folded.open = true;
    element.scrollIntoView({ block: 'center' });
    element.focus({ preventScroll: true });
    this.#remember(this.#box);
    this.host.requestUpdate();
    return true;
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

  #find(messageRef: string): HTMLElement | undefined {
    return this.#box?.querySelector<HTMLElement>(`[data-ref="${CSS.escape(messageRef)}"]`) ?? undefined;
  }

  #keep(): void {
    const box = this.#box;
    if (!box) return;
    const anchor = this.#anchors.find(({ element }) => element.isConnected);
    if (this.isAtEnd && box.querySelector(MESSAGES)) box.scrollTop = box.scrollHeight;
    else if (anchor) box.scrollTop += offsetOf(anchor.element, box) - anchor.offset;
    this.#lastTop = box.scrollTop;
    this.#remember(box);
  }

  /** Remembers the topmost message. At the end there is nothing to be kept. */
  #remember(box: HTMLElement): void {
    const elements = this.isAtEnd ? [] : findTopmost(box);
    this.#anchors = elements.map((element) => ({ element, offset: offsetOf(element, box) }));
  }

  #lookAhead(): void {
    if (this.#box && this.#box.scrollTop < NEAR_BEGINNING) this.nearBeginning();
  }
}

function offsetOf(element: Element, box: Element): number {
  return element.getBoundingClientRect().top - box.getBoundingClientRect().top;
}

/** Returns the topmost message and its topmost parts, the innermost first. */
function findTopmost(box: HTMLElement): readonly Element[] {
  const { top } = box.getBoundingClientRect();
  const found: Element[] = [];
  let parent = box.firstElementChild;
  for (const selector of [MESSAGES, ...PARTS]) {
    parent = parent && findFirst(parent.children, selector, top);
    if (!parent) break;
    found.unshift(parent);
  }
  return found;
}

/** Returns the first element that is not above `top`, by halving: a long conversation has thousands of elements. */
function findFirst(items: HTMLCollection, selector: string, top: number): Element | null {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle]?.getBoundingClientRect().bottom ?? top) > top) to = middle;
    else from = middle + 1;
  }
  let item = items[from] ?? null;
  while (item && !item.matches(selector)) item = item.nextElementSibling;
  return item;
}

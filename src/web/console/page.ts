import { LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import { toVisibleText } from '../../protocol/visible-text.js';
import { announce } from '../design/announce.js';
import type { ConsoleList } from './list.js';
import type { LiveEvent, LiveKind } from './live.js';
import type { ConsoleContext } from './context.js';
import type { Place } from './place.js';
import { findNeighbour } from './row-trail.js';
import { consoleTexts } from './texts.js';

/**
 * A page of the console. A module in `pages` defines one, named as in `page-table.ts`; it is loaded when the page is first
 * opened. The element stays while only ids, filters or the fragment of the place change.
 */
export abstract class ConsolePage extends LitElement {
  @property({ attribute: false }) app!: ConsoleContext;
  @property({ attribute: false }) place!: Place;
  /** Ends what the page has begun, when it is left. */
  protected readonly stops: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.stops.splice(0)) stop();
  }

  /** Sets the heading and the title of the window, such as "3 things need you". */
  protected entitle(title: string): void {
    this.dispatchEvent(new CustomEvent('entitle', { detail: toVisibleText(title), bubbles: true }));
  }

  /** The next row of the list that led here, or the previous one; in a list the next row: the keys `]` and `[`. */
  step(by: 1 | -1): void {
    if (this.list) return this.list.move(by);
    const next = findNeighbour(location.pathname, by);
    if (next === undefined) announce(consoleTexts.noNeighbour);
    else this.app.router.go(next);
  }

  /** Reads what is shown again: the key `r`. */
  read(): void {
    this.list?.read();
  }

  /** The id of what is shown, or of the row that has the focus: the key `y` copies it. */
  get shownId(): string | undefined {
    return this.list?.focusedKey ?? this.place.ids.at(-1);
  }

  /** The list of the page, if it has one. */
  get list(): ConsoleList | null {
    return this.querySelector<ConsoleList>('console-list');
  }

  /**
   * Calls `change` for each live event of some kinds, and `read` when events may have been missed, until the page is left.
   * Call it once, when the page is shown for the first time.
   */
  protected follow(kinds: readonly LiveKind[], change: (event: LiveEvent) => void, read: () => void): void {
    const { live } = this.app;
    this.stops.push(live.subscribe(kinds, change), live.reset.subscribe(read));
  }
}

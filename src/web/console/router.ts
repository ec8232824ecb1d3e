import { Signal } from '../model/signal.js';
import { readPlace, writePlace, type Place, type PlaceParts } from './place.js';

/** The part of a window that the router uses. */
export interface Surroundings {
  readonly location: Pick<Location, 'href' | 'pathname' | 'search' | 'hash' | 'origin'>;
  readonly history: Pick<History, 'pushState' | 'replaceState'>;
}

/** The place that is shown, and the ways to another one. Links within the console lead there without a load of the page. */
export class Router {
  /** Emits after each change of {@link place}. */
  readonly changed = new Signal<Place>();
  #place: Place;

  /** @param base the path of the console, without a slash at its end */
  constructor(
    readonly base: string,
    private readonly window: Surroundings,
  ) {
    this.#place = readPlace(base, window.location);
  }

  get place(): Place {
    return this.#place;
  }

  /** Returns the address of a place, for `href`. The tenant that is chosen stays. */
  link({ filters, ...place }: PlaceParts): string {
    const { tenant = '' } = this.#place.filters;
    return writePlace(this.base, { ...place, filters: { tenant, ...filters } });
  }

  /** Goes to an address of the console. @param how `replace` for what is typed, so that Back does not go letter by letter */
  go(address: string, how: 'push' | 'replace' = 'push'): void {
    this.window.history[how === 'push' ? 'pushState' : 'replaceState'](null, '', address);
    this.read();
  }

  /** Changes filters of the place; an empty value removes one. */
  filter(filters: Readonly<Record<string, string>>, how: 'push' | 'replace' = 'push'): void {
    const { page, ids, filters: before } = this.#place;
    this.go(this.link({ page, ids, filters: { ...before, ...filters } }), how);
  }

  /** Reads the address again, after the browser has changed it. */
  read(): void {
    this.#place = readPlace(this.base, this.window.location);
    this.changed.emit(this.#place);
  }

  /** Follows a link within the console, unless the browser should: another tab, a download, another page. */
  follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.hasAttribute('download') || (link.target !== '' && link.target !== '_self')) return;
    const { origin, pathname, href } = link;
    if (origin !== this.window.location.origin || !isWithin(this.base, pathname)) return;
    event.preventDefault();
    if (href !== this.window.location.href) this.go(href);
  }
}

function isWithin(base: string, pathname: string): boolean {
  return pathname === base || pathname.startsWith(`${base}/`);
}

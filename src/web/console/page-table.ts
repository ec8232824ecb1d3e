import type { DirectiveResult } from 'lit/directive.js';
import { consoleIcons } from './icons.js';

/** A page that the navigation leads to. */
export interface PageEntry {
  /** The first segment of its path; empty for the overview. */
  readonly name: string;
  readonly title: string;
  readonly icon: DirectiveResult;
  /** The letter after `g` that leads to it. */
  readonly key: string;
  /** Pages of a group stand together in the navigation. */
  readonly group: 'now' | 'parts' | 'house';
  /** The element that its module defines. */
  readonly tag: string;
  readonly load: () => Promise<unknown>;
}

/** The pages, in the order of the navigation. */
export const pages: readonly PageEntry[] = [
  {
    name: '',
    title: 'Overview',
    icon: consoleIcons.overview,
    key: 'o',
    group: 'now',
    tag: 'console-overview',
    load: () => import('./pages/overview.js'),
  },
  {
    name: 'sessions',
    title: 'Conversations',
    icon: consoleIcons.sessions,
    key: 's',
    group: 'now',
    tag: 'console-sessions',
    load: () => import('./pages/sessions.js'),
  },
];

/** Returns the page of a name; undefined for one that there is not. */
export function findPage(name: string): PageEntry | undefined {
  return pages.find((page) => page.name === name);
}

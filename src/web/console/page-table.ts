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
  /** The scope without which it shows nothing; `admin:read` if it names none. */
  readonly scope?: string;
  /** True if it shows what belongs to the whole gateway: operators of one tenant cannot open it. */
  readonly isOfWhole?: boolean;
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
  {
    name: 'queue',
    title: 'Queue',
    icon: consoleIcons.queue,
    key: 'q',
    group: 'now',
    tag: 'console-queue',
    load: () => import('./pages/queue.js'),
  },
  {
    name: 'dead-letters',
    title: 'Dead letters',
    icon: consoleIcons.deadLetters,
    key: 'd',
    group: 'now',
    tag: 'console-dead-letters',
    load: () => import('./pages/dead-letters.js'),
  },
  {
    name: 'approvals',
    title: 'Approvals',
    icon: consoleIcons.approvals,
    key: 'a',
    group: 'now',
    tag: 'console-approvals',
    load: () => import('./pages/approvals.js'),
  },
  {
    name: 'people',
    title: 'People',
    icon: consoleIcons.people,
    key: 'p',
    group: 'parts',
    tag: 'console-people',
    load: () => import('./pages/people.js'),
  },
  {
    name: 'channels',
    title: 'Channels',
    icon: consoleIcons.channels,
    key: 'c',
    group: 'parts',
    tag: 'console-channels',
    load: () => import('./pages/channels.js'),
  },
  {
    name: 'nodes',
    title: 'Nodes',
    icon: consoleIcons.nodes,
    key: 'n',
    group: 'parts',
    tag: 'console-nodes',
    load: () => import('./pages/nodes.js'),
  },
  {
    name: 'cron',
    title: 'Cron',
    icon: consoleIcons.cron,
    key: 'j',
    group: 'parts',
    tag: 'console-cron',
    load: () => import('./pages/cron.js'),
  },
  {
    name: 'tools',
    title: 'Tools',
    icon: consoleIcons.tools,
    key: 't',
    group: 'parts',
    tag: 'console-tools',
    load: () => import('./pages/tools.js'),
  },
  {
    name: 'config',
    title: 'Settings',
    icon: consoleIcons.config,
    key: ',',
    group: 'house',
    tag: 'console-config',
    isOfWhole: true,
    load: () => import('./pages/config.js'),
  },
  {
    name: 'tokens',
    title: 'Tokens',
    icon: consoleIcons.tokens,
    key: 'k',
    group: 'house',
    tag: 'console-tokens',
    load: () => import('./pages/tokens.js'),
  },
  {
    name: 'usage',
    title: 'Usage',
    icon: consoleIcons.usage,
    key: 'u',
    group: 'house',
    tag: 'console-usage',
    load: () => import('./pages/usage.js'),
  },
  {
    name: 'audit',
    title: 'Audit',
    icon: consoleIcons.audit,
    key: 'h',
    group: 'house',
    tag: 'console-audit',
    scope: 'audit:read',
    load: () => import('./pages/audit.js'),
  },
  {
    name: 'logs',
    title: 'Logs',
    icon: consoleIcons.logs,
    key: 'l',
    group: 'house',
    tag: 'console-logs',
    isOfWhole: true,
    load: () => import('./pages/logs.js'),
  },
];

/** Pages that links lead to, and the navigation does not. */
const linkedPages: readonly Pick<PageEntry, 'name' | 'title' | 'tag' | 'load'>[] = [
  { name: 'messages', title: 'Message', tag: 'console-messages', load: () => import('./pages/messages.js') },
];

/** Returns the page of a name; undefined for one that there is not. */
export function findPage(
  name: string,
): Pick<PageEntry, 'name' | 'title' | 'tag' | 'load' | 'scope' | 'isOfWhole'> | undefined {
  return [...pages, ...linkedPages].find((page) => page.name === name);
}

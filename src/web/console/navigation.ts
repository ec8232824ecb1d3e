import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import { findBarrier } from './barrier.js';
import { formatCount } from './format.js';
import { consoleIcons } from './icons.js';
import type { Me } from './me.js';
import { pages, type PageEntry } from './page-table.js';
import type { Router } from './router.js';
import type { StatusAnswer } from './status.js';
import { consoleTexts } from './texts.js';

/** The entries of the navigation, with their addresses. */
export interface Navigation {
  readonly router: Router;
  readonly status: StatusAnswer | undefined;
  readonly me: Me;
  jump(): void;
}

const GROUPS = ['now', 'parts', 'house'] as const;

/** The counts beside pages, with the tone of one that is not 0. */
const COUNTS: Readonly<Record<string, readonly [keyof StatusAnswer['counts'], string]>> = {
  queue: ['waiting', ''],
  'dead-letters': ['dead_letters', 'bad'],
  approvals: ['approvals', 'held'],
};

/** Renders the name of the product, the way to the palette, and the links to the pages. */
export function renderNavigation({ router, status, me, jump }: Navigation): TemplateResult {
  const renderLink = (page: PageEntry) => {
    const { name, title, icon } = page;
    const barrier = findBarrier(page, me);
    if (barrier !== undefined) return renderClosedLink(title, icon, barrier);
    return html`<li>
      <a href=${router.link({ page: name })} aria-current=${router.place.page === name ? 'page' : nothing}>
        ${icon}<span>${title}</span>${renderCount(name, status)}
      </a>
    </li>`;
  };
  return html`<p class="brand">
      ${consoleIcons.product}<strong>${consoleTexts.productName}</strong
      ><span class="faint">${status?.version ?? ''}</span>
    </p>
    <button type="button" class="field jump" @click=${jump}>
      ${icons.search}<span>${consoleTexts.jump}</span><kbd aria-hidden="true">${consoleTexts.jumpKey}</kbd>
    </button>
    <nav aria-label=${consoleTexts.navigation}>
      ${GROUPS.map((group) => {
        const links = pages.filter((page) => page.group === group);
        return links.length === 0
          ? nothing
          : html`<ul>
              ${links.map(renderLink)}
            </ul>`;
      })}
    </nav>`;
}

/** Renders a page that the person cannot open, with the reason. */
function renderClosedLink(title: string, icon: PageEntry['icon'], barrier: string): TemplateResult {
  return html`<li>
    <a role="link" aria-disabled="true" title=${barrier}>
      ${icon}<span>${title}</span><span class="visually-hidden">${barrier}</span>
    </a>
  </li>`;
}

function renderCount(name: string, status: StatusAnswer | undefined): TemplateResult | typeof nothing {
  const [field, tone] = COUNTS[name] ?? [];
  const count = field === undefined ? 0 : (status?.counts[field] ?? 0);
  return count === 0 ? nothing : html`<span class="count ${tone}">${formatCount(count)}</span>`;
}

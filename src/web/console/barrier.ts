import { html, nothing, type TemplateResult } from 'lit';
import type { Me } from './me.js';
import { pages, type PageEntry } from './page-table.js';
import type { Router } from './router.js';
import { consoleTexts } from './texts.js';

/** A question of a page to the person. */
type Demands = Pick<PageEntry, 'scope' | 'isOfWhole'>;

/** Says what a person lacks to open a page; undefined if nothing. */
export function findBarrier({ scope = 'admin:read', isOfWhole = false }: Demands, me: Me): string | undefined {
  const { needs, allTenants } = consoleTexts.closed;
  if (!me.may(scope)) return needs(scope);
  return isOfWhole && !me.maySeeWhole ? allTenants : undefined;
}

/** Lists the pages of the navigation that a person can open. */
export function listOpenPages(me: Me): readonly PageEntry[] {
  return pages.filter((page) => findBarrier(page, me) === undefined);
}

/** Renders in place of a page what the person lacks. @param barrier see {@link findBarrier} */
export function renderClosed(barrier: string, me: Me, router: Router): TemplateResult {
  const { explanation } = consoleTexts.closed;
  const { back } = consoleTexts.missing;
  const leadsBack = listOpenPages(me).some(({ name }) => name === '');
  return html`<div class="empty closed">
    <p><strong>${barrier}</strong></p>
    <p>${explanation}</p>
    ${leadsBack ? html`<p><a href=${router.link({})}>${back}</a></p>` : nothing}
  </div>`;
}

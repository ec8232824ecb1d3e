import { svg, html, type TemplateResult } from 'lit';

/** A line drawing on a 24 by 24 grid, hidden from screen readers: the text beside it has the same meaning. */
function icon(lines: TemplateResult): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${lines}</svg>`;
}

export const icons = {
  send: icon(svg`<path d="M12 19V5m-6 6 6-6 6 6" />`),
  stop: icon(svg`<rect x="7" y="7" width="10" height="10" rx="2" class="solid" />`),
  picture: icon(
    svg`<rect x="4" y="5" width="16" height="14" rx="2" /><path d="m4 16 4.5-4.5 4 4 2.5-2.5 5 4M15 9.5h.01" />`,
  ),
  plus: icon(svg`<path d="M12 5v14M5 12h14" />`),
  menu: icon(svg`<path d="M4 7h16M4 12h16M4 17h16" />`),
  close: icon(svg`<path d="m6 6 12 12M18 6 6 18" />`),
  copy: icon(svg`<rect x="9" y="9" width="11" height="11" rx="2" /><path d="M5 15V6a2 2 0 0 1 2-2h8" />`),
  check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5" />`),
  down: icon(svg`<path d="M12 5v14m-6-6 6 6 6-6" />`),
  chevron: icon(svg`<path d="m9 6 6 6-6 6" />`),
  tool: icon(svg`<path d="M14.5 6.5a4 4 0 0 0-5.2 5.2L4 17v3h3l5.3-5.3a4 4 0 0 0 5.2-5.2l-2.6 2.6-2.5-.5-.5-2.5z" />`),
  canvas: icon(svg`<rect x="4" y="5" width="16" height="14" rx="2" /><path d="M4 10h16" />`),
  retry: icon(svg`<path d="M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5" />`),
};

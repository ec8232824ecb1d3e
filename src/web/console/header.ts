import { html, nothing, type TemplateResult } from 'lit';
import type { DirectiveResult } from 'lit/directive.js';
import { icons } from '../design/icons.js';
import type { MenuItem } from '../design/menu.js';
import type { ConsoleContext } from './context.js';
import { formatClock, nameZone } from './format.js';
import { consoleIcons } from './icons.js';
import type { Live, LiveState } from './live.js';
import { settings } from './own-settings.js';
import { renderTenantChoice } from './tenant-choice.js';
import { consoleTexts } from './texts.js';

/** The state that the header shows, and the actions of its buttons. */
export interface Header {
  readonly heading: string;
  readonly app: ConsoleContext;
  /** Missing where the navigation stands beside the page. */
  readonly openNavigation: (() => void) | undefined;
  readonly menu: readonly MenuItem[];
}

/** Renders the heading of the page, the zone of all times, whether what is shown is live, and the menu. */
export function renderHeader({ heading, app, openNavigation, menu }: Header): TemplateResult {
  const zone = nameZone(settings.zone);
  const { zoneSwitch, openNavigation: label, more } = consoleTexts;
  return html`<header class="bar">
    ${
      openNavigation
        ? html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${openNavigation}>
            ${consoleIcons.menu}
          </button>`
        : nothing
    }
    <h1 dir="auto" tabindex="-1">${heading}</h1>
    ${renderTenantChoice(app)}
    <button type="button" class="quiet zone" aria-label=${zoneSwitch(zone)} @click=${switchZone}>${zone}</button>
    ${renderLive(app.live)}
    <page-menu .label=${more} .items=${menu}></page-menu>
  </header>`;
}

function switchZone(): void {
  settings.zone = settings.zone === 'utc' ? 'local' : 'utc';
}

/** Renders whether what is shown is live; a press pauses it, or goes on. */
function renderLive(live: Live): TemplateResult {
  const { state } = live;
  const { pause, resume } = consoleTexts.live;
  const [icon, tone, words] = describeLive(live);
  const isPaused = state === 'paused';
  return html`<button
    type="button"
    class="quiet live state ${tone}"
    title=${isPaused ? resume : pause}
    aria-pressed=${isPaused}
    ?disabled=${state === 'off' || state === 'ended'}
    @click=${() => live.pause(!isPaused)}
  >
    ${icon}<span>${words}</span>
  </button>`;
}

/** Says what a screen reader should read of a change: not each beginning, only that it was lost, and is back. */
export function describeLiveChange(before: LiveState, live: Live): string | undefined {
  const isNews = live.state === 'reconnecting' || (live.state === 'live' && before === 'reconnecting');
  return isNews ? describeLive(live)[2] : undefined;
}

function describeLive({ state, heardAt }: Live): readonly [DirectiveResult, string, string] {
  const { connecting, live, paused, reconnecting, off, ended } = consoleTexts.live;
  switch (state) {
    case 'connecting':
      return [icons.working, 'info', connecting];
    case 'live':
      return [consoleIcons.live, 'good', live];
    case 'paused':
      return [consoleIcons.paused, 'faint', paused];
    case 'reconnecting':
      return [icons.offline, 'warn', reconnecting(formatClock(heardAt, settings.zone))];
    case 'off':
      return [icons.stopped, 'faint', off];
    case 'ended':
      return [icons.stopped, 'faint', ended];
  }
}

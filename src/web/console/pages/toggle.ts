import { html, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type { ConsoleContext } from '../context.js';
import { consoleTexts } from '../texts.js';

/** A switch that takes effect at once, and can be undone for some seconds. */
export interface Toggle {
  /** The name of the switch, for screen readers. */
  readonly label: string;
  readonly isOn: boolean;
  readonly change: (isOn: boolean) => Promise<unknown>;
  /** Says what was done. */
  readonly done: (isOn: boolean) => string;
  /** The scope that the switch needs; `admin:write` by default. */
  readonly scopes?: readonly string[];
}

/** Renders a switch. Without the scopes it is disabled, and says which one it needs. */
export function renderToggle(
  { act, me }: ConsoleContext,
  { label, isOn, change, done, scopes = ['admin:write'] }: Toggle,
): TemplateResult {
  const missing = scopes.find((scope) => !me.may(scope));
  const press = async ({ target }: Event) => {
    const box = target as HTMLInputElement;
    const wish = box.checked;
    const isDone = await act.run(() => change(wish));
    if (isDone) act.offerUndo(done(wish), () => change(!wish));
    else box.checked = isOn;
  };
  return html`<input
    type="checkbox"
    role="switch"
    class="toggle"
    aria-label=${label}
    title=${missing === undefined ? label : consoleTexts.act.needs(missing)}
    .checked=${live(isOn)}
    ?disabled=${missing !== undefined}
    @change=${press}
  />`;
}

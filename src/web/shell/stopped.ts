import { html, type TemplateResult } from 'lit';
import type { Stage } from '../model/gateway-link.js';
import { texts } from '../texts.js';

/** Renders why the page has stopped, and what to do. */
export function renderStopped(
  { heading, problem, remedy }: Extract<Stage, { name: 'stopped' }>,
  takeOver: () => void,
): TemplateResult {
  const [label, act] =
    remedy === 'reload' ? [texts.stopped.reload, () => location.reload()] : [texts.stopped.takeOver, takeOver];
  return html`<main class="card" role="alert">
    <h1>${heading}</h1>
    <p>${problem}</p>
    <button type="button" class="main" @click=${act}>${label}</button>
  </main>`;
}

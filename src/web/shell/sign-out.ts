import { html, nothing, type TemplateResult } from 'lit';
import { ref, type Ref } from 'lit/directives/ref.js';
import type { Fate } from '../model/leaving.js';
import { texts } from '../texts.js';

/** Renders the question what becomes of `count` messages that are not sent, and of drafts, for a person who signs out. */
export function renderSignOut(
  dialog: Ref<HTMLDialogElement>,
  count: number,
  leave: (fate: Fate) => void,
): TemplateResult {
  const { heading, explanation, send, keep, discard, cancel } = texts.signOut;
  const choose = (fate: Fate) => {
    dialog.value?.close();
    leave(fate);
  };
  return html`<dialog ${ref(dialog)} class="dialog sign-out" aria-labelledby="sign-out-heading">
    <h2 id="sign-out-heading">${heading(count)}</h2>
    <p>${explanation}</p>
    <form method="dialog" class="ways">
      ${count === 0 ? nothing : html`<button type="button" class="main" @click=${() => choose('send')}>${send}</button>`}
      <button type="button" class="plain" @click=${() => choose('keep')}>${keep}</button>
      <button type="button" class="plain" @click=${() => choose('discard')}>${discard}</button>
      <button type="submit" class="quiet" autofocus>${cancel}</button>
    </form>
  </dialog>`;
}

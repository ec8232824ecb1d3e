import { html, nothing, type TemplateResult } from 'lit';
import { ref, type Ref } from 'lit/directives/ref.js';
import type { FileTaker } from '../compose/file-taker.js';
import type { Chat } from '../model/chat.js';
import type { Fate } from '../model/leaving.js';
import { texts } from '../texts.js';

/** Returns true when a person who signs out has something to lose: messages that are not sent, drafts, files. */
export function hasUnfinished({ outbox, leaving, conversations }: Chat, taker: FileTaker): boolean {
  return outbox.messages.length > 0 || leaving.hasDrafts || taker.countIncomplete(conversations.all) > 0;
}

/** Renders the question what becomes of messages that are not sent, and of drafts, for a person who signs out. */
export function renderSignOut(
  dialog: Ref<HTMLDialogElement>,
  { outbox, leaving, conversations }: Chat,
  taker: FileTaker,
): TemplateResult {
  const { heading, explanation, lostFiles, notLasting, send, keep, keepHere, discard, cancel } = texts.signOut;
  const { length: messages } = outbox.messages;
  const files = taker.countIncomplete(conversations.all);
  const { isLasting } = outbox;
  const choose = (fate: Fate) => {
    dialog.value?.close();
    leaving.leave(fate);
  };
  return html`<dialog ${ref(dialog)} class="dialog sign-out" aria-labelledby="sign-out-heading">
    <h2 id="sign-out-heading">${heading(messages)}</h2>
    <p>${explanation}</p>
    ${files === 0 ? nothing : html`<p>${lostFiles(files)}</p>`}${isLasting ? nothing : html`<p>${notLasting}</p>`}
    <form method="dialog" class="ways">
      ${messages === 0 ? nothing : html`<button type="button" class="main" @click=${() => choose('send')}>${send}</button>`}
      <button type="button" class="plain" @click=${() => choose('keep')}>${isLasting ? keep : keepHere}</button>
      <button type="button" class="plain" @click=${() => choose('discard')}>${discard}</button>
      <button type="submit" class="quiet" autofocus>${cancel}</button>
    </form>
  </dialog>`;
}

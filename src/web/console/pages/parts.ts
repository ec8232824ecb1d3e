import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { toVisibleText } from '../../../protocol/visible-text.js';
import { tabStop } from '../../design/tab-stop.js';
import { NOTHING, shortenId } from '../format.js';
import type { ConsoleContext } from '../context.js';
import { renderTable, type TableSource } from '../table.js';
import '../time.js';
import { diffLines, writeValue } from './line-diff.js';

/**
 * Renders a text of another author. Its writing direction does not affect the text around it, and characters that are not
 * seen, or that turn others around, are written out.
 */
export function renderText(text: string | undefined): TemplateResult {
  return html`<bdi>${text === undefined || text === '' ? NOTHING : toVisibleText(text)}</bdi>`;
}

/** Renders a time, relative to now; exact in its tooltip. @param at Unix milliseconds; undefined for none */
export function renderTime(at: number | undefined, as: 'relative' | 'clock' | 'exact' | 'running' = 'relative') {
  return html`<console-time .at=${at} as=${as}></console-time>`;
}

/** Renders a link to a message, with its shortened ref. */
export function renderMessageLink({ router }: ConsoleContext, messageRef: string): TemplateResult {
  return html`<a class="id own" href=${router.link({ page: 'messages', ids: [messageRef] })} title=${messageRef}
    >${shortenId(messageRef)}</a
  >`;
}

/** Renders a link to a conversation, with its shortened id. @param messageRef the message that the link leads to within it */
export function renderSessionLink({ router }: ConsoleContext, id: string, messageRef = ''): TemplateResult {
  const link = router.link({ page: 'sessions', ids: [id], fragment: messageRef });
  return html`<a class="id own" href=${link} title=${id}>${shortenId(id)}</a>`;
}

/** A fact about a thing: its name and its value; one whose value is `nothing` is left out. */
export type Fact = readonly [name: string, value: unknown];

/** Renders the facts about a thing. */
export function renderFacts(facts: readonly Fact[]): TemplateResult {
  return html`<dl class="facts">
    ${facts
      .filter(([, value]) => value !== nothing)
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${typeof value === 'string' ? renderText(value) : (value ?? NOTHING)}</dd>`,
      )}
  </dl>`;
}

/** Renders a section of a page: a heading, and what stands below it. */
export function renderSection(heading: string, content: unknown): TemplateResult {
  return html`<section class="section">
    <h2>${heading}</h2>
    ${content}
  </section>`;
}

/** Renders a section whose content is a card. */
export function renderPanel(heading: string, content: unknown): TemplateResult {
  return renderSection(heading, html`<div class="panel">${content}</div>`);
}

/** Renders a short list, or a sentence if it has no rows. */
export function renderRows<Row>(source: TableSource<Row>, rows: readonly Row[], empty: string): TemplateResult {
  return rows.length === 0 ? html`<p class="faint">${empty}</p>` : renderTable(source, rows);
}

/** The sign of a line of a comparison, and what screen readers say for it. */
const SIGNS = { same: [' ', ''], old: ['−', 'removed: '], new: ['+', 'added: '] } as const;

/** Renders what a change replaces and what it brings, line by line. Null stands for nothing. */
export function renderDiff(before: unknown, after: unknown): TemplateResult {
  const lines = diffLines(writeValue(before ?? ''), writeValue(after ?? '')).filter(
    ({ kind, text }) => kind === 'same' || text !== '',
  );
  return html`<div class="diff" ${ref(tabStop)}>
    ${lines.map(({ kind, text }) => {
      const [sign, word] = SIGNS[kind];
      return html`<div class=${kind}>
        <span aria-hidden="true">${sign}</span><span class="visually-hidden">${word}</span
        ><code>${toVisibleText(text)}</code>
      </div>`;
    })}
  </div>`;
}

/** Renders a value of JSON as it is. */
export function renderJson(value: unknown): TemplateResult {
  return html`<pre class="json" ${ref(tabStop)}>${toVisibleText(writeValue(value))}</pre>`;
}

import { html, type TemplateResult } from 'lit';
import '../../blocks/parts.js';

/**
 * Loads what draws Markdown and code: that of the chat, with its defences. Resolves also if that fails: the source is shown
 * then.
 */
export async function loadMarkdown(): Promise<void> {
  await Promise.allSettled([import('../../blocks/markdown.js'), import('../../blocks/table.js')]);
}

/** Renders a Markdown text. Diagrams stay code, because the console frames nothing. @param growing true while more text may arrive */
export function renderMarkdown(text: string, growing: boolean): TemplateResult {
  if (!customElements.get('chat-markdown')) return renderSource(text);
  return html`<chat-markdown class="block prose" .text=${text} .growing=${growing} .draws=${false}></chat-markdown>`;
}

/** Renders code. @param language empty if it is not known */
export function renderCode(code: string, language: string, growing: boolean): TemplateResult {
  if (!customElements.get('chat-code')) return renderSource(code);
  return html`<chat-code class="block" .code=${code} .language=${language} .growing=${growing}></chat-code>`;
}

function renderSource(text: string): TemplateResult {
  return html`<p class="block text" dir="auto"><chat-parts .text=${text}></chat-parts></p>`;
}

import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { icons } from '../design/icons.js';
import { tabStop } from '../design/tab-stop.js';

/** A titled part: JSON or other text. */
export type Part = readonly [label: string | undefined, content: string];

/** Renders a summary that opens to show more. */
export function renderFold(summary: TemplateResult, parts: readonly Part[]): TemplateResult {
  return html`<details class="block fold">
    <summary>${icons.chevron}${summary}</summary>
    ${parts.map(
      ([label, content]) =>
        html`${label === undefined ? nothing : html`<h4>${label}</h4>`}
          <chat-parts .text=${indent(content)} .frame=${renderPre}></chat-parts>`,
    )}
  </details>`;
}

/** Renders the box of a text that scrolls. */
function renderPre(content: unknown): TemplateResult {
  return html`<pre ${ref(tabStop)} dir="ltr">${content}</pre>`;
}

/** Parses a JSON object; returns an empty one for anything else. */
export function readJson(content: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Returns a non-empty string, else undefined. */
export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns JSON indented for reading, anything else unchanged. */
function indent(content: string): string {
  try {
    return JSON.stringify(JSON.parse(content), undefined, 2);
  } catch {
    return content;
  }
}

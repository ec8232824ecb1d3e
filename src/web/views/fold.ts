import { html, nothing, type TemplateResult } from 'lit';
import { icons } from './icons.js';

/** A titled piece of JSON, or of other text. */
export type Part = readonly [label: string | undefined, content: string];

/** Something that is opened by whoever wants to know more. */
export function renderFold(summary: TemplateResult, parts: readonly Part[]): TemplateResult {
  return html`<details class="block fold">
    <summary>${icons.chevron}${summary}</summary>
    ${parts.map(
      ([label, content]) =>
        html`${label === undefined ? nothing : html`<h4>${label}</h4>`}
          <pre tabindex="0" dir="ltr">${indent(content)}</pre>`,
    )}
  </details>`;
}

/** An object that came as text; empty when it is something else. */
export function readJson(content: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A text that says something. */
export function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** JSON on several lines, for people; anything else as it is. */
function indent(content: string): string {
  try {
    return JSON.stringify(JSON.parse(content), undefined, 2);
  } catch {
    return content;
  }
}

import { svg, type TemplateResult } from 'lit';
import { html } from 'lit';

/** White around the code, in modules: readers need it to find the code. */
const BORDER = 4;

/** Draws a QR code, black on white in every theme, because many readers do not recognise a light code on dark. */
export async function drawQrCode(text: string, label: string): Promise<TemplateResult> {
  const { encode } = await import('uqr');
  const { data, size } = encode(text, { border: BORDER });
  const path = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return html`<svg
    class="qr-code"
    role="img"
    aria-label=${label}
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
  >
    ${svg`<path d=${path} />`}
  </svg>`;
}

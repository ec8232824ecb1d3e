import { html, svg, type TemplateResult } from 'lit';

const WIDTH = 96;
const HEIGHT = 24;

/** Returns the points of a line through values, from left to right; 0 is at the bottom. What is undefined continues the line. */
function tracePoints(values: readonly (number | undefined)[], width: number, height: number): string {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let last = 0;
  return values
    .map((value, i) => {
      last = value ?? last;
      return `${round(i * step)},${round(height - (last / most) * height)}`;
    })
    .join(' ');
}

function round(length: number): number {
  return Math.round(length * 10) / 10;
}

/** Renders values as a line, with a sentence for those who do not see it. */
export function renderSparkline(values: readonly (number | undefined)[], sentence: string): TemplateResult {
  const points = tracePoints(values, WIDTH, HEIGHT - 2);
  return html`<svg class="sparkline" viewBox="0 -1 ${WIDTH} ${HEIGHT}" role="img" aria-label=${sentence}>
    ${svg`<polygon points="0,${HEIGHT - 2} ${points} ${WIDTH},${HEIGHT - 2}"></polygon><polyline points=${points}></polyline>`}
  </svg>`;
}

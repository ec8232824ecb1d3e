import { readFormula } from './math-syntax.js';
import { SOURCE } from './source-text.js';

/** Limits of a formula: expansions of its macros, and the size of a rule or space that it asks for, in em. */
const MAX_EXPANSIONS = 500;
const MAX_EMS = 20;

/** Time after which drawing pauses, so that the page stays responsive, in milliseconds. */
const SLICE_MS = 12;

/**
 * Draws formulas in place of their sources, which stay what is copied. A formula that is wrong stays as it was written.
 * The library is loaded with the first formula.
 */
export async function drawFormulas(root: ParentNode): Promise<void> {
  const formulas = root.querySelectorAll<HTMLElement>(`.math:not([${SOURCE}], .wrong)`);
  if (formulas.length === 0) return;
  const [{ default: temml }] = await Promise.all([import('temml'), import('../styles/math.css')]);
  let begun = performance.now();
  for (const formula of formulas) {
    const source = formula.textContent;
    const { tex, isDisplay } = readFormula(source);
    const drawing = document.createElement('span');
    try {
      temml.render(tex, drawing, {
        displayMode: isDisplay,
        throwOnError: true,
        trust: false,
        maxExpand: MAX_EXPANSIONS,
        maxSize: [MAX_EMS, MAX_EMS],
      });
      formula.replaceChildren(...drawing.childNodes);
      formula.setAttribute(SOURCE, source);
      formula.classList.toggle('display', isDisplay);
    } catch {
      // Also a nesting so deep that the stack overflows.
      formula.classList.add('wrong');
    }
    if (performance.now() - begun < SLICE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    begun = performance.now();
  }
}

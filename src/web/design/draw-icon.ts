import { noChange } from 'lit';
import { Directive, directive, type DirectiveResult } from 'lit/directive.js';
import { createElement, type IconNode } from 'lucide';

/** Draws an icon once at each place. It is hidden from screen readers, because the text beside it says the same. */
class Drawing extends Directive {
  #drawn: IconNode | undefined;

  render(node: IconNode, more: string): unknown {
    if (this.#drawn === node) return noChange;
    this.#drawn = node;
    return createElement(node, { class: `icon ${more}`, 'aria-hidden': 'true', focusable: 'false' });
  }
}

const draw = directive(Drawing);

/** Returns what draws an icon. @param more classes: `turns` for arrows along the line of writing, `solid`, `spins` */
export function icon(node: IconNode, more = ''): DirectiveResult {
  return draw(node, more);
}

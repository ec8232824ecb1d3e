import { findElement, followPath, type PageNode } from './page-tree.js';
import { renderName } from './render-tree.js';

/** Roles whose text is what a person enters. */
const FIELDS = new Set(['textbox', 'searchbox', 'spinbutton', 'combobox', 'slider']);
const MAX_AROUND_LENGTH = 400;
const REF = /^(f\d+)?e\d+$/;

/** Why an act is refused; `now` is text of the page. */
export interface RefFault {
  readonly reason: string;
  readonly now?: string;
}

/**
 * A page as an agent has seen it last. An act is compared with it: pages reuse elements, so that an element of the same
 * name may stand for another thing by now.
 */
export class ShownPage {
  constructor(private readonly root: PageNode) {}

  /** Returns why a ref must not be used on the page as it is `now`; undefined if it is what was shown. */
  findFault(ref: string, now: PageNode): RefFault | undefined {
    const shown = REF.test(ref) ? findElement(this.root, ref) : undefined;
    if (!shown) return { reason: `there is no ${REF.test(ref) ? ref : 'such ref'} on the page that was shown` };
    const found = findElement(now, ref);
    if (!found) {
      const there = followPath(now, shown.path);
      const isThere = there.length === shown.path.length + 1;
      const instead = isThere ? `; in its place is now ${nameOf(there.at(-1))}` : '; it is gone';
      return { reason: `${ref} has changed`, now: `${ref} was ${nameOf(shown.node)}${instead}` };
    }
    const [before, after] = [nameOf(shown.node), nameOf(found.node)];
    if (before !== after) return { reason: `${ref} has changed`, now: `${ref} was ${before}, it is now ${after}` };
    const [aroundBefore, aroundNow] = [describeAround(this.root, shown.path), describeAround(now, found.path)];
    if (aroundBefore === aroundNow) return undefined;
    return {
      reason: `the surroundings of ${ref} have changed`,
      now: `${ref} is ${after}; around it was ${aroundBefore}, and is now ${aroundNow}`,
    };
  }

  find(ref: string): PageNode | undefined {
    return findElement(this.root, ref)?.node;
  }
}

function nameOf(node: PageNode | undefined): string {
  return node ? renderName(node) : 'nothing';
}

/** Returns the texts around an element, within the smallest ancestor that has any: the row of a list, a group. */
function describeAround(root: PageNode, path: readonly number[]): string {
  const chain = followPath(root, path);
  const element = chain.at(-1);
  for (const ancestor of chain.slice(0, -1).toReversed()) {
    const texts = listTexts(ancestor, element);
    if (texts.length > 0) return JSON.stringify(texts.join(' ').slice(0, MAX_AROUND_LENGTH));
  }
  return 'nothing';
}

function listTexts(node: PageNode, without: PageNode | undefined): string[] {
  const own = [node.name, FIELDS.has(node.role) ? '' : node.text];
  const inner = node.children.flatMap((child) => {
    if (child === without) return [];
    return typeof child === 'string' ? [child] : listTexts(child, without);
  });
  return [...own, ...inner].filter((text) => text.trim() !== '');
}

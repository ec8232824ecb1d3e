import type { PageNode } from './page-tree.js';

/** Shortest share of the budget that a list's items get, in characters; those that do not fit are left out. */
const MIN_SHARE = 120;
/** Shortest text that is left of one that is cut, in characters. */
const MIN_TEXT = 40;
/** Roles without a meaning of their own. */
const PLAIN = new Set(['generic', 'none', 'presentation', 'document']);

/**
 * Returns an element and what is below it as indented lines, at most about `budget` characters. What does not fit is left
 * out subtree by subtree, large ones first, with a line that says how to see it.
 */
export function renderTree(node: PageNode, budget: number): string[] {
  const lines: string[] = [];
  const sizes = new Map<PageNode, number>();
  measure(node, 0, sizes);
  write(node, 0, budget, sizes, lines);
  return lines;
}

/** Returns one element as a line. Texts of a page are always quoted, so none looks like a ref. */
export function renderLine({ role, name, text, states, detail, ref }: PageNode): string {
  return [
    role,
    name && quote(name),
    ...states.map((state) => `[${state}]`),
    ref && `[ref=${ref}]`,
    detail && `-> ${quote(detail)}`,
    text && `: ${quote(text)}`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** Returns role and name of an element. */
export function renderName(node: PageNode): string {
  return renderLine({ ...node, states: [], text: '', detail: '', ref: undefined, children: [] });
}

const quote = (text: string) => JSON.stringify(text);
const lineOf = (child: PageNode | string) => (typeof child === 'string' ? `text: ${quote(child)}` : renderLine(child));
const indent = (depth: number) => `${'  '.repeat(Math.min(depth, 20))}- `;

/** Returns the line of an element or text, with its texts cut to a length. */
function fitLine(child: PageNode | string, budget: number): string {
  const over = lineOf(child).length - budget;
  if (over <= 0) return lineOf(child);
  if (typeof child === 'string') return lineOf(shorten(child, over));
  const text = shorten(child.text, over);
  return renderLine({ ...child, text, name: shorten(child.name, over - (child.text.length - text.length)) });
}

function shorten(text: string, by: number): string {
  const kept = Math.max(MIN_TEXT, text.length - by - 24);
  return by <= 0 || kept >= text.length ? text : `${text.slice(0, kept).toWellFormed()}... (${text.length} characters)`;
}

/** Containers without a name or a state add nothing, but their ref is needed to see what was cut. */
function isShown({ role, name, text, states }: PageNode): boolean {
  return !PLAIN.has(role) || name !== '' || text !== '' || states.length > 0;
}

function measure(node: PageNode | string, depth: number, sizes: Map<PageNode, number>): number {
  const own = indent(depth).length + lineOf(node).length + 1;
  if (typeof node === 'string') return own;
  const inner = isShown(node) ? depth + 1 : depth;
  const size = node.children.reduce((sum, child) => sum + measure(child, inner, sizes), isShown(node) ? own : 0);
  sizes.set(node, size);
  return size;
}

function write(
  node: PageNode | string,
  depth: number,
  budget: number,
  sizes: ReadonlyMap<PageNode, number>,
  lines: string[],
): void {
  const shown = typeof node === 'string' || isShown(node);
  if (shown) lines.push(indent(depth) + fitLine(node, Math.max(budget, MIN_SHARE)));
  if (typeof node === 'string') return;
  const inner = shown ? depth + 1 : depth;
  const sizeOf = (child: PageNode | string) =>
    typeof child === 'string' ? indent(inner).length + lineOf(child).length + 1 : (sizes.get(child) ?? 0);
  const shares = share(node.children.map(sizeOf), budget - (shown ? lineOf(node).length : 0));
  node.children.forEach((child, i) => {
    const given = shares[i];
    if (given !== undefined) write(child, inner, given, sizes, lines);
  });
  const left = shares.filter((given) => given === undefined).length;
  if (left === 0) return;
  const how = node.ref === undefined ? '' : `; browser.snapshot {"ref":"${node.ref}"} shows this part`;
  lines.push(`${indent(inner)}(${left} more items are left out${how})`);
}

/** Divides a budget: small parts get what they need, large ones what is left in equal shares; undefined is left out. */
function share(sizes: readonly number[], budget: number): readonly (number | undefined)[] {
  const shares = new Map<number, number>();
  let left = budget;
  // As many as can have the least share, in the order of the page.
  const kept = sizes.map((_, i) => i).filter((i) => (left -= Math.min(sizes[i] ?? 0, MIN_SHARE)) >= 0);
  left = budget;
  const bySize = kept.toSorted((a, b) => (sizes[a] ?? 0) - (sizes[b] ?? 0));
  bySize.forEach((i, taken) => {
    const given = Math.min(sizes[i] ?? 0, left / (bySize.length - taken));
    shares.set(i, given);
    left -= given;
  });
  return sizes.map((_, i) => shares.get(i));
}

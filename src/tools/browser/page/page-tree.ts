import { toPlainText } from '../../plain-text.js';

/** Longest text of one element, in characters. */
const MAX_TEXT_LENGTH = 500;
/** Depth below which a page is not read. */
const MAX_DEPTH = 200;
/** Shortest secret that is looked for within other text; shorter ones would hide half of a page. */
const MIN_SECRET_LENGTH = 4;
const FLAGS = ['checked', 'disabled', 'expanded', 'active', 'invalid', 'level', 'pressed', 'selected'] as const;

/** An element of a page as assistive technology sees it; a string is a text beside elements. */
export interface PageNode {
  readonly role: string;
  readonly name: string;
  /** The text or value of an element without children. */
  readonly text: string;
  /** States such as `checked` and `level=2`. */
  readonly states: readonly string[];
  /** The address of a link, or the hint of an empty field. */
  readonly detail: string;
  /** By which acts name it. */
  readonly ref: string | undefined;
  readonly children: readonly (PageNode | string)[];
}

/** Returns a text of a page without what must not be seen. */
export type HideSecrets = (text: string) => string;

/** Hides the values of secret fields wherever they stand. */
export function createHider(secrets: Iterable<string>): HideSecrets {
  const known = [...secrets].filter((secret) => secret !== '').sort((a, b) => b.length - a.length);
  return (text) => {
    const same = known.find((secret) => secret.trim() === text.trim());
    if (same !== undefined) return describeSecret(same);
    return known
      .filter(({ length }) => length >= MIN_SECRET_LENGTH)
      .reduce((shown, secret) => shown.replaceAll(secret, describeSecret(secret)), text);
  };
}

/** Returns what is shown of a secret. */
export function describeSecret({ length }: string): string {
  return `(secret, ${length} characters)`;
}

/** Converts what the library returns as a snapshot. Unknown fields are ignored. */
export function readTree(json: unknown, hide: HideSecrets): PageNode {
  const clean = (value: unknown) => (typeof value === 'string' ? cut(toPlainText(hide(value))) : '');
  const read = (value: unknown, depth: number): PageNode | string => {
    if (typeof value === 'string') return clean(value);
    const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
    const listed = Array.isArray(fields['children']) ? (fields['children'] as unknown[]) : [];
    const children = depth < MAX_DEPTH ? listed.map((child) => read(child, depth + 1)) : [];
    return {
      role: typeof fields['role'] === 'string' ? fields['role'] : 'generic',
      name: clean(fields['name']),
      text: clean(fields['text']),
      states: [
        ...FLAGS.flatMap((flag) => describeState(flag, fields[flag])),
        ...(fields['role'] === 'generic' && fields['cursor'] === 'pointer' ? ['clickable'] : []),
      ],
      detail: clean(fields['url'] ?? fields['placeholder']),
      ref: typeof fields['ref'] === 'string' ? fields['ref'] : undefined,
      children,
    };
  };
  return read({ role: 'document', children: json }, 0) as PageNode;
}

function describeState(flag: string, value: unknown): readonly string[] {
  if (value === true) return [flag];
  return typeof value === 'string' || typeof value === 'number' ? [`${flag}=${`${value}`.slice(0, 20)}`] : [];
}

function cut(text: string): string {
  return text.length <= MAX_TEXT_LENGTH
    ? text
    : `${text.slice(0, MAX_TEXT_LENGTH).toWellFormed()}... (${text.length} characters)`;
}

/** Returns the element with a ref, with its ancestors from the root on. */
export function findElement(root: PageNode, ref: string): { node: PageNode; path: readonly number[] } | undefined {
  const waiting: { node: PageNode; path: readonly number[] }[] = [{ node: root, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, path } = next;
    if (node.ref === ref) return next;
    node.children.forEach((child, i) => {
      if (typeof child !== 'string') waiting.push({ node: child, path: [...path, i] });
    });
  }
  return undefined;
}

/** Returns the elements from the root to a place, as far as the page has them. */
export function followPath(root: PageNode, path: readonly number[]): readonly PageNode[] {
  const found = [root];
  for (const i of path) {
    const child = found.at(-1)?.children[i];
    if (child === undefined || typeof child === 'string') break;
    found.push(child);
  }
  return found;
}

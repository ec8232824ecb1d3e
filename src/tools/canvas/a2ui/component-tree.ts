import { parsePointer, readAt } from './data-pointer.js';
import { A2uiFault, isRecord } from './fault.js';

/** Depth of the tree of components. A chain of 200 is drawn well, one of 2,000 freezes a browser. */
const MAX_DEPTH = 64;
/** Elements that are shown, lists of the data included. */
const MAX_SHOWN = 2_000;

/** A component as the agent gave it. */
export type Component = Readonly<Record<string, unknown>> & { readonly id: string };

/** A property of a component that names another one. */
interface Reference {
  /** Where it stands in the component, such as `children/1`. */
  readonly place: string;
  readonly id: string;
  /** The list of the data for each element of which the other one is shown. */
  readonly list?: string;
}

/**
 * Checks the tree of a surface: no component contains itself, whether it is shown or not, since a later update can show it;
 * the tree is not deeper than 64; not more than 2,000 elements are shown.
 * @returns what is not wrong, but is not shown either
 * @throws A2uiFault
 */
export function checkTree(components: ReadonlyMap<string, Component>, data: unknown): string[] {
  const references = new Map([...components].map(([id, component]) => [id, listReferences(component)]));
  checkCycles(references);
  countShown(references, data);
  const missing = [...references].flatMap(([id, list]) =>
    list
      .filter((reference) => !components.has(reference.id))
      .map((reference) => `${reference.place} of ${id} names ${JSON.stringify(reference.id)}, which is not there`),
  );
  return components.has('root') ? missing : ['there is no component root yet, so nothing is shown', ...missing];
}

function listReferences({ child, children, tabs, trigger, content }: Component): readonly Reference[] {
  const single = { child, trigger, content };
  const found: Reference[] = Object.entries(single).flatMap(([place, id]) =>
    typeof id === 'string' ? [{ place, id }] : [],
  );
  if (Array.isArray(children))
    children.forEach((id, i) => typeof id === 'string' && found.push({ place: `children/${i}`, id }));
  else if (isRecord(children) && typeof children['componentId'] === 'string')
    found.push({ place: 'children/componentId', id: children['componentId'], list: String(children['path']) });
  if (Array.isArray(tabs))
    tabs.forEach((tab: unknown, i) => {
      const id = isRecord(tab) ? tab['child'] : undefined;
      if (typeof id === 'string') found.push({ place: `tabs/${i}/child`, id });
    });
  return found;
}

type References = ReadonlyMap<string, readonly Reference[]>;

/** Without recursion: a chain may have thousands of links before its depth is known. */
function checkCycles(references: References): void {
  const done = new Set<string>();
  for (const start of references.keys()) {
    const open: { readonly id: string; next: number }[] = done.has(start) ? [] : [{ id: start, next: 0 }];
    const path = new Set(open.map(({ id }) => id));
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const next = references.get(top.id)?.[top.next++];
      if (!next) {
        open.pop();
        path.delete(top.id);
        done.add(top.id);
      } else if (path.has(next.id)) {
        const chain = [...path, next.id].slice([...path].indexOf(next.id)).slice(0, 10);
        const how = next.id === top.id ? 'itself' : `itself: ${chain.join(' > ')}`;
        throw new A2uiFault(`component ${next.id}, at ${next.place} of ${top.id}:`, `${next.id} contains ${how}`);
      } else if (!done.has(next.id) && references.has(next.id)) {
        open.push({ id: next.id, next: 0 });
        path.add(next.id);
      }
    }
  }
}

/** Walks what is shown. It stops at the limit, so a tree that unfolds without end costs no more. */
function countShown(references: References, data: unknown): void {
  let shown = 0;
  const walk = (id: string, base: readonly string[], depth: number): void => {
    if (depth > MAX_DEPTH) throw new A2uiFault(`component ${id}`, `is deeper than ${MAX_DEPTH} levels`);
    if (++shown > MAX_SHOWN) throw new A2uiFault('the surface', `shows more than ${MAX_SHOWN} elements`);
    for (const reference of references.get(id) ?? []) {
      if (!references.has(reference.id)) continue;
      if (reference.list === undefined) walk(reference.id, base, depth + 1);
      else walkList(reference.id, locate(reference.list, base), depth + 1);
    }
  };
  const walkList = (id: string, place: readonly string[], depth: number): void => {
    const list = readAt(data, place);
    if (Array.isArray(list)) for (const i of list.keys()) walk(id, [...place, String(i)], depth);
  };
  if (references.has('root')) walk('root', [], 1);
}

function locate(pointer: string, base: readonly string[]): readonly string[] {
  const names = parsePointer(pointer, `path ${pointer}`);
  return pointer.startsWith('/') ? names : [...base, ...names];
}

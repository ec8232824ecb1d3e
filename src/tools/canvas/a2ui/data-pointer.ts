import { A2uiFault } from './fault.js';

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const INDEX = /^(0|[1-9]\d{0,5})$/;
/** The most elements that a list may get by writing beyond its end. */
const MAX_INDEX = 10_000;

/** Splits a JSON pointer as A2UI writes it. @throws A2uiFault for a name of a prototype */
export function parsePointer(pointer: string, path: string): string[] {
  const parts = pointer.split('/').filter((part) => part !== '');
  return parts.map((part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (FORBIDDEN.has(name)) throw new A2uiFault(path, `must not name ${name}`);
    return name;
  });
}

/** Returns the value at a place; undefined if there is none. */
export function readAt(data: unknown, names: readonly string[]): unknown {
  let value = data;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** Returns data with another value at a place, or without it if `value` is undefined. @throws A2uiFault */
export function writeAt(data: unknown, names: readonly string[], value: unknown, path: string): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return value ?? {};
  const before = containerAt(data, name, path);
  const inner = rest.length === 0 ? value : writeAt(readAt(before, [name]), rest, value, path);
  if (Array.isArray(before)) {
    const list = [...before];
    list[Number(name)] = inner ?? null;
    return list;
  }
  const fields: Record<string, unknown> = { ...before, [name]: inner };
  if (inner === undefined) delete fields[name];
  return fields;
}

/** Returns what has a part of this name: the data, or if there is none an empty list or object. @throws A2uiFault */
function containerAt(data: unknown, name: string, path: string): object {
  const before: unknown = data ?? (INDEX.test(name) ? [] : {});
  if (typeof before !== 'object' || before === null)
    throw new A2uiFault(path, `leads through a value that has no parts, at ${JSON.stringify(name)}`);
  if (Array.isArray(before) && (!INDEX.test(name) || Number(name) > MAX_INDEX))
    throw new A2uiFault(path, `leads into a list, of which ${JSON.stringify(name)} is not an index`);
  return before;
}

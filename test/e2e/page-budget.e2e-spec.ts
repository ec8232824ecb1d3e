import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const BUILT = join(import.meta.dirname, '../../dist/web');

/** The most that the first load of the chat may take, compressed with gzip, in bytes. */
const MAX_FIRST_LOAD = 80 * 1_024;

const compressed = (name: string) => {
  const path = join(BUILT, 'assets', name);
  return statSync(existsSync(`${path}.gz`) ? `${path}.gz` : path).size;
};

/** Returns the names of a script and of all that it imports at once. */
function listImports(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const source = readFileSync(join(BUILT, 'assets', name), 'utf8');
  for (const [, imported = ''] of source.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g))
    listImports(imported, seen);
  return seen;
}

it('[W-66] the first load of the chat takes at most 80 KB, without the libraries for formulas, diagrams and code', () => {
  const page = readFileSync(join(BUILT, 'index.html'), 'utf8');
  const files = [...page.matchAll(/assets\/([\w.-]+\.(?:js|css))/g)].map(([, name = '']) => name);
  const scripts = files.filter((name) => name.endsWith('.js')).flatMap((name) => [...listImports(name)]);
  const all = new Set([...files, ...scripts]);
  const sum = [...all].reduce((total, name) => total + compressed(name), statSync(join(BUILT, 'index.html')).size);
  expect([...all].filter((name) => /temml|mermaid|katex|common|diagram/.test(name))).toEqual([]);
  expect(sum).toBeLessThan(MAX_FIRST_LOAD);
});

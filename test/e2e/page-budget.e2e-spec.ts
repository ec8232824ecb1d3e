import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const BUILT = join(import.meta.dirname, '../../dist/web');

const KB = 1_024;

const compressed = (name: string) => {
  const path = join(BUILT, name);
  return statSync(existsSync(`${path}.gz`) ? `${path}.gz` : path).size;
};

/** Imports of a script: those that are loaded with it, and those that are loaded later, with their styles. */
const AT_ONCE = [/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g];
const LATER = [/import\([`"']\.\/([\w.-]+\.js)[`"']\)/g, /["'`]\.\/([\w.-]+\.css)["'`]/g];

/** The files that draw Markdown, with the libraries for code and formulas. */
const MARKDOWN = /\/(?:markdown|table|sanitise|purify|common|temml|math)[.-]/;

/**
 * Returns the names of the files of a page: the page, its styles, and its scripts with all that they import.
 * @param without files that are left out, with all that only they import
 */
function listFiles(page: string, imports: readonly RegExp[], without?: RegExp): Set<string> {
  const files = new Set([page]);
  const follow = (name: string) => {
    if (files.has(name) || without?.test(name)) return;
    files.add(name);
    if (!name.endsWith('.js')) return;
    const source = readFileSync(join(BUILT, name), 'utf8');
    for (const form of imports) for (const [, imported = ''] of source.matchAll(form)) follow(`assets/${imported}`);
  };
  for (const [, name = ''] of readFileSync(join(BUILT, page), 'utf8').matchAll(/(assets\/[\w.-]+\.(?:js|css))/g))
    follow(name);
  return files;
}

const weigh = (files: Iterable<string>) => [...files].reduce((total, name) => total + compressed(name), 0);

it('[W-66] the first load of the chat takes at most 80 KB, without the libraries for formulas, diagrams and code', () => {
  const files = listFiles('index.html', AT_ONCE);
  expect([...files].filter((name) => /temml|mermaid|katex|common|diagram/.test(name))).toEqual([]);
  expect(weigh(files)).toBeLessThan(80 * KB);
});

it('[CO-15] the first load of the console takes at most 60 KB, and all of it at most 120 KB, without what draws Markdown', () => {
  const first = listFiles('console.html', AT_ONCE);
  expect([...first].filter((name) => MARKDOWN.test(name))).toEqual([]);
  expect(weigh(first)).toBeLessThan(60 * KB);
  // Those that the chat loads too, for its answers.
  const all = listFiles('console.html', [...AT_ONCE, ...LATER], MARKDOWN);
  expect([...all].filter((name) => /overview|sessions|config/.test(name)).length).toBeGreaterThan(2);
  expect(weigh(all)).toBeLessThan(120 * KB);
});

it('[CO-15] no page runs another one: what they share stands in files of its own', () => {
  const entries = ['index.html', 'console.html', 'node.html'].map((page) => {
    const scripts = [...readFileSync(join(BUILT, page), 'utf8').matchAll(/assets\/([\w.-]+\.js)/g)];
    return [page, `assets/${scripts.at(-1)?.[1]}`] as const;
  });
  for (const [page, own] of entries) {
    const files = listFiles(page, [...AT_ONCE, ...LATER]);
    expect(entries.filter(([, entry]) => entry !== own && files.has(entry))).toEqual([]);
  }
});

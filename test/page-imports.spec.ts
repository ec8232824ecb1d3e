import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');
const IMPORT = /^(?:import|export) [^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm;

/** The imports of the page's sources, as paths from `src` or names of packages. */
function listImports(): string[] {
  const files = globSync('web/**/*.ts', { cwd: SOURCE }).filter((file) => !file.endsWith('.spec.ts'));
  const found = files.flatMap((file) =>
    [...readFileSync(join(SOURCE, file), 'utf8').matchAll(IMPORT)].map(([, still, lazy]) => {
      const specifier = still ?? lazy ?? '';
      return specifier.startsWith('.') ? relative(SOURCE, join(SOURCE, dirname(file), specifier)) : specifier;
    }),
  );
  return [...new Set(found)].toSorted();
}

describe('the page', () => {
  it('imports itself, the client, four modules of the protocol without schemas, and ten packages that are bundled', () => {
    const foreign = listImports().filter((path) => !path.startsWith('web/'));
    expect(foreign).toEqual([
      '@a2ui/lit/v0_9',
      '@a2ui/web_core/v0_9',
      '@a2ui/web_core/v0_9/basic_catalog',
      'client/index.js',
      'client/node/browser.js',
      'dompurify',
      'highlight.js/lib/common',
      'lit',
      'lit/decorators.js',
      'lit/directive.js',
      'lit/directives/guard.js',
      'lit/directives/keyed.js',
      'lit/directives/live.js',
      'lit/directives/ref.js',
      'lit/directives/repeat.js',
      'lucide',
      'marked',
      'mermaid',
      'protocol/closes.js',
      'protocol/code-points.js',
      'protocol/constants.js',
      'protocol/providers.js',
      'protocol/visible-text.js',
      'temml',
      'uqr',
    ]);
  });
});

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const RUN_TIME_IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm;

/** The files that a program loads when it imports `file`. */
function listRunTimeImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  if (!file.startsWith('/')) return seen;
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(RUN_TIME_IMPORT)) {
    const isRelative = specifier.startsWith('.');
    listRunTimeImports(isRelative ? join(dirname(file), specifier).replace(/\.js$/, '.ts') : specifier, seen);
  }
  return seen;
}

describe('the client in a browser', () => {
  it('[K-11] contains no package, no validator and nothing of Node', () => {
    const source = join(import.meta.dirname, '..');
    const imports = [...listRunTimeImports(join(import.meta.dirname, 'index.ts'))].map((file) =>
      file.replace(`${source}/`, ''),
    );

    expect(imports).toContain('client/client.ts');
    expect(imports.filter((file) => !file.startsWith('client/')).toSorted()).toEqual([
      'protocol/closes.ts',
      'protocol/code-points.ts',
      'protocol/constants.ts',
      'protocol/errors.ts',
      'protocol/reply-state.ts',
    ]);
  });
});

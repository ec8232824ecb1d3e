import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

describe('written pages', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'examples/**/*.md', 'bench/*.md', 'deploy/**/*.md']);

  it.each(pages)('%s has no broken links', (page) => {
    const targets = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      ([, target]) => target ?? '',
    );
    const missing = targets.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(resolve(dirname(page), target)));
    expect(missing).toEqual([]);
  });

  it('give the reason of every dependency', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
    const reasons =
      readFileSync('docs/adr/0005-dependencies.md', 'utf8') + readFileSync('docs/adr/0004-node-by-npm.md', 'utf8');
    const node = JSON.parse(readFileSync('scripts/node/package.json', 'utf8')) as {
      readonly optionalDependencies: Readonly<Record<string, string>>;
    };
    const names = [manifest.dependencies, manifest.devDependencies, node.optionalDependencies].flatMap((group) =>
      Object.keys(group),
    );
    const isNamed = (name: string) =>
      reasons.includes(`\`${name}\``) || (name.startsWith('@nestjs/') && reasons.includes(`\`${name.slice(8)}\``));
    expect(names.filter((name) => !name.startsWith('@types/') && !isNamed(name))).toEqual([]);
  });
});

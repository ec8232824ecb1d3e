import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Manifest {
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Lists the files that a page links to, relative to its folder. */
function listTargets(page: string): string[] {
  const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)];
  return links.map(([, target]) => target ?? '').filter((target) => !/^[a-z]+:/.test(target));
}

describe('written pages', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'examples/**/*.md', 'bench/*.md', 'deploy/**/*.md']);

  it.each(pages)('%s has no broken links', (page) => {
    expect(listTargets(page).filter((target) => !existsSync(resolve(dirname(page), target)))).toEqual([]);
  });

  it('are in the package with everything that the documents link to', () => {
    const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
    const isPacked = (path: string) => files.some((entry) => path === entry || path.startsWith(`${entry}/`));
    // These two link each promise and each rule to its tests, which the repository alone has.
    const areLinkedToTests = ['README.md', 'docs/security-rules.md'];
    const links = ['README.md', ...pages.filter((page) => page.startsWith('docs/') && !page.startsWith('docs/adr/'))]
      .flatMap((page) =>
        listTargets(page).map((target) => ({ page, path: relative('.', resolve(dirname(page), target)) })),
      )
      .filter(({ page, path }) => !areLinkedToTests.includes(page) || !/^(src|test)\//.test(path))
      .map(({ path }) => path);
    expect(links.filter((path) => path !== 'LICENSE' && !isPacked(path))).toEqual([]);
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

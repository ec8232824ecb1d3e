import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A source tree in which every import except those of `fine` breaks a rule: the file, its import, the broken rule. */
const violations: readonly (readonly [file: string, imported: string, rule: string])[] = [
  ['src/protocol/a.ts', '../core/store/a.js', 'protocol-alone'],
  ['src/protocol/b.ts', 'node:fs', 'protocol-alone'],
  ['src/client/a.ts', '../core/store/a.js', 'client-alone'],
  ['src/client/b.ts', 'node:crypto', 'client-alone'],
  ['src/client/c.ts', '../protocol/codec.js', 'client-alone'],
  ['src/core/store/b.ts', '../queue/a.js', 'core-order-store'],
  ['src/core/presence/a.ts', '../sessions/a.js', 'core-order-presence'],
  ['src/core/queue/b.ts', '../turns/a.js', 'core-order-queue'],
  ['src/core/queue/c.ts', '../../stores/sqlite/a.js', 'core-imports-no-edge'],
  ['src/core/queue/d.ts', 'node:net', 'core-no-io'],
  ['src/core/queue/e.ts', 'ws', 'core-packages'],
  ['src/core/queue/f.ts', '../../protocol/codec.js', 'core-speaks-no-wire'],
  ['src/protocol/log.ts', './codec.js', 'domain-speaks-no-wire'],
  ['src/core/odds/a.ts', '../store/a.js', 'core-folder-has-a-place'],
  ['src/websocket/a.ts', '../stores/sqlite/a.js', 'star-websocket'],
  ['src/sockets/a.ts', '../websocket/b.js', 'star-sockets'],
  ['src/core/delivery/a.ts', '../intake/a.js', 'core-order-delivery'],
  ['src/cli/a.ts', '../stores/sqlite/a.js', 'star-cli'],
  ['src/admin/a.ts', '../health/a.js', 'star-admin'],
  ['src/channels/webchat/a.ts', '../markdown/a.js', 'markdown-for-drivers'],
  ['src/health/b.ts', '../gateway.module.js', 'composition-is-the-top'],
  ['src/main.ts', './gateway.module.js', 'main-is-the-very-top'],
  ['src/index.ts', './main.js', 'nothing-imports-main'],
  ['src/utils/a.ts', '../core/store/a.js', 'edge-has-a-name'],
  ['src/http/a.ts', '../testing/a.js', 'testing-is-for-tests'],
  ['src/http/b.ts', '../core/store/a.spec.js', 'nothing-imports-tests'],
  ['src/http/c.ts', './missing.js', 'resolvable'],
  ['src/auth/circle-a.ts', './circle-b.js', 'no-circular'],
];

const fine: readonly (readonly [file: string, imported: string])[] = [
  ['src/core/turns/a.ts', '../queue/a.js'],
  ['src/core/turns/b.ts', '../../protocol/domain.js'],
  ['src/websocket/b.ts', '../auth/a.js'],
  ['src/websocket/c.ts', '../sockets/b.js'],
  ['src/cli/b.ts', '../gateway.module.js'],
  ['src/gateway.module.ts', './websocket/b.js'],
  ['src/run-gateway.ts', './gateway.module.js'],
  ['src/channels/slack/markup.ts', '../markdown/a.js'],
  ['src/protocol/c.spec.ts', '../testing/a.js'],
];

const leaves = [
  'src/core/store/a.ts',
  'src/core/store/a.spec.ts',
  'src/core/queue/a.ts',
  'src/core/sessions/a.ts',
  'src/core/intake/a.ts',
  'src/sockets/b.ts',
  'src/stores/sqlite/a.ts',
  'src/auth/a.ts',
  'src/health/a.ts',
  'src/channels/markdown/a.ts',
  'src/testing/a.ts',
  'src/protocol/codec.ts',
  'src/protocol/domain.ts',
];

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
  };
}

describe('the import rules', () => {
  const house = mkdtempSync(join(tmpdir(), 'import-rules-'));
  const found = new Map<string, string[]>();

  beforeAll(() => {
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(house, file)), { recursive: true });
      writeFileSync(join(house, file), text);
    };
    write('package.json', '{ "type": "module", "dependencies": { "ws": "*" } }');
    write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "moduleResolution": "nodenext" } }');
    write('node_modules/ws/package.json', '{ "name": "ws", "type": "module", "main": "index.js" }');
    write('node_modules/ws/index.js', 'export {};');
    for (const file of leaves) write(file, 'export const leaf = 1;\n');
    for (const [file, imported] of [...violations, ...fine]) write(file, `export * from '${imported}';\n`);
    write('src/auth/circle-b.ts', "import type * as a from './circle-a.js';\nexport type A = typeof a;\n");

    const cruise = spawnSync(
      process.execPath,
      [
        resolve('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
        'src',
        '--config',
        resolve('.dependency-cruiser.cjs'),
        '--output-type',
        'json',
      ],
      { cwd: house, encoding: 'utf8' },
    );
    for (const { from, rule } of (JSON.parse(cruise.stdout) as Cruise).summary.violations) {
      found.set(from, [...(found.get(from) ?? []), rule.name]);
    }
  });

  afterAll(() => rmSync(house, { recursive: true }));

  it.each(violations)('%s may not import %s', (file, _imported, rule) => {
    expect(found.get(file)).toContain(rule);
  });

  it.each(fine)('%s may import %s', (file) => {
    expect(found.get(file)).toBeUndefined();
  });
});

const RUN_TIME_IMPORT = /^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm;

/** Adds the files and packages that a program loads when it imports `file`. */
function addRunTimeImports(file: string, found: Set<string>): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  if (!file.startsWith('/')) return found;
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(RUN_TIME_IMPORT))
    addRunTimeImports(name.startsWith('.') ? resolve(dirname(file), name).replace(/\.js$/, '.ts') : name, found);
  return found;
}

it("the store's thread loads no package: TypeBox alone would take 11 MiB and 140 ms of a start, a second time", () => {
  const worker = join(import.meta.dirname, '../src/stores/sqlite/thread/sqlite.worker.ts');
  const foreign = [...addRunTimeImports(worker, new Set())].filter((name) => !name.startsWith('/'));
  expect(foreign).toContain('node:sqlite');
  expect(foreign.filter((name) => !name.startsWith('node:'))).toEqual([]);
});

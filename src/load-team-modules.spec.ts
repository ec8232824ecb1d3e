import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadTeamModules } from './load-team-modules.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'team-'));
  writeFileSync(
    join(folder, 'team.mjs'),
    'export class TeamModule {}\nReflect.defineMetadata("providers", [], TeamModule);\n',
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = () => loadTeamModules(['./team.mjs'], folder);

describe('modules of a team', () => {
  it('[P-16] are refused when they have a copy of Nest of their own, with what to do', async () => {
    const copy = join(folder, 'node_modules/@nestjs/core');
    mkdirSync(copy, { recursive: true });
    writeFileSync(join(copy, 'package.json'), '{"name": "@nestjs/core"}');
    await expect(load()).rejects.toThrow(/"\.\/team\.mjs".*a copy of @nestjs\/core of its own.*npm dedupe/);
  });

  it('[P-16] load with the copy of the gateway, also through a link, and without Nest', async () => {
    expect(await load()).toHaveLength(1);
    symlinkSync(join(import.meta.dirname, '../node_modules'), join(folder, 'node_modules'));
    expect(await load()).toHaveLength(1);
  });
});

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Launch {
  findMain(dist: URL): URL | undefined;
  isNewEnough(version: string): boolean;
  findOwnNode(where: { platform: string; arch: string; resolve: (request: string) => string }): string | undefined;
  decide(facts: { version: string; isBuilt: boolean; ownNode: string | undefined }): {
    run: string;
    node?: string;
    message?: string;
  };
}

const { findMain, isNewEnough, findOwnNode, decide } = (await import(
  new URL('../../bin/launch.js', import.meta.url).href
)) as Launch;

describe('openclaw, run with any version of Node', () => {
  it.each([
    ['18.20.8', false],
    ['24.15.9', false],
    ['24.16.0', true],
    ['26.0.0', true],
  ])('knows whether Node %s is new enough', (version, isEnough) => {
    expect(isNewEnough(version)).toBe(isEnough);
  });

  it('runs here when this Node is new enough', () => {
    expect(decide({ version: '26.10.0', isBuilt: true, ownNode: '/own/node' })).toEqual({ run: 'here' });
  });

  it('runs with its own Node when this one is too old', () => {
    expect(decide({ version: '20.20.2', isBuilt: true, ownNode: '/own/node' })).toEqual({
      run: 'under',
      node: '/own/node',
    });
  });

  it('says what is missing when there is no such Node', () => {
    const { run, message } = decide({ version: '20.20.2', isBuilt: true, ownNode: undefined });

    expect(run).toBe('nothing');
    expect(message).toMatch(/needs Node 24\.16 or newer, and this is Node 20\.20\.2[^]*npm install/);
  });

  it('says how to build it when it is not built', () => {
    expect(decide({ version: '26.10.0', isBuilt: false, ownNode: undefined })).toMatchObject({
      run: 'nothing',
      message: expect.stringContaining('npm run build') as unknown,
    });
  });

  it('finds the Node that was installed with it, wherever the package manager put it', () => {
    const { platform, arch } = process;
    const found = findOwnNode({
      platform,
      arch,
      resolve: (request) => import.meta.resolve(request).replace('file://', ''),
    });

    expect(found).toMatch(/node(\.exe)?$/);
    expect(findOwnNode({ platform, arch: 'mips', resolve: String })).toBeUndefined();
    expect(findOwnNode({ platform, arch, resolve: () => '/nowhere/package.json' })).toBeUndefined();
  });
});

describe('the entry point of a build', () => {
  let dist: string;
  beforeEach(() => {
    dist = mkdtempSync(join(tmpdir(), 'openclaw-launch-'));
  });
  afterEach(() => rmSync(dist, { recursive: true }));

  const make = (path: string, time: number) => {
    mkdirSync(join(dist, path, '..'), { recursive: true });
    writeFileSync(join(dist, path), '');
    utimesSync(join(dist, path), time, time);
  };
  const find = () => findMain(pathToFileURL(`${dist}/`))?.pathname.slice(dist.length + 1);

  it('is undefined when there is no build', () => {
    expect(find()).toBeUndefined();
  });

  it('is the bundle, when it is as new as its modules', () => {
    make('cli/main.js', 1);
    make('.tsbuildinfo', 2);
    make('bundle/gateway/main.js', 2);

    expect(find()).toBe('bundle/gateway/main.js');
  });

  it('is the module, when the modules were rebuilt since', () => {
    make('cli/main.js', 3);
    make('.tsbuildinfo', 3);
    make('bundle/gateway/main.js', 2);

    expect(find()).toBe('cli/main.js');
  });
});

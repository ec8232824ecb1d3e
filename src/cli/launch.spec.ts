import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';

interface Runtime {
  readonly name: string;
  readonly version: string;
}

interface Launch {
  endOnEarlySignals(own: EventEmitter & { readonly pid: number; exit(code: number): void }): void;
  findRuntime(versions: Readonly<Record<string, string>>): Runtime;
  isNewEnough(version: string): boolean;
  findOwnNode(where: { platform: string; arch: string; resolve: (request: string) => string }): string | undefined;
  decide(facts: { runtime: Runtime; isBuilt: boolean; ownNode: string | undefined }): {
    run: string;
    node?: string;
    message?: string;
  };
  findMemoryOptions(
    flags: readonly string[],
    environment: Readonly<Record<string, string | undefined>>,
  ): { flags: string[]; environment: Record<string, string | undefined> };
}

const { findRuntime, isNewEnough, findOwnNode, decide, endOnEarlySignals, findMemoryOptions } = (await import(
  new URL('../../bin/launch.js', import.meta.url).href
)) as Launch;

describe('process 1 of a container', () => {
  /** A process that records its exits. */
  const makeProcess = (pid: number) => {
    const exits: number[] = [];
    return { exits, own: Object.assign(new EventEmitter(), { pid, exit: (code: number) => void exits.push(code) }) };
  };

  it('ends at a signal before the gateway handles signals', () => {
    const { exits, own } = makeProcess(1);
    endOnEarlySignals(own);
    own.emit('SIGTERM');
    own.on('SIGINT', () => {});
    own.emit('SIGINT');
    expect(exits).toEqual([143]);
  });

  it('leaves the signals of any other process alone', () => {
    const { own } = makeProcess(2);
    endOnEarlySignals(own);
    expect(own.eventNames()).toEqual([]);
  });
});

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
    expect(decide({ runtime: { name: 'Node', version: '26.10.0' }, isBuilt: true, ownNode: '/own/node' })).toEqual({
      run: 'here',
    });
  });

  it('runs with its own Node when this one is too old', () => {
    expect(decide({ runtime: { name: 'Node', version: '20.20.2' }, isBuilt: true, ownNode: '/own/node' })).toEqual({
      run: 'under',
      node: '/own/node',
    });
  });

  it('says what is missing when there is no such Node', () => {
    const { run, message } = decide({
      runtime: { name: 'Node', version: '20.20.2' },
      isBuilt: true,
      ownNode: undefined,
    });

    expect(run).toBe('nothing');
    expect(message).toMatch(/needs Node 24\.16 or newer, and this is Node 20\.20\.2[^]*https:\/\/nodejs\.org/);
  });

  it.each([
    ['Deno', { node: '26.3.0', deno: '2.9.0' }],
    ['Bun', { node: '26.3.0', bun: '1.4.5' }],
  ])('says that it needs Node when %s runs it', (name, versions) => {
    const { message } = decide({ runtime: findRuntime(versions), isBuilt: true, ownNode: undefined });

    expect(message).toContain(`needs Node 24.16 or newer, and this is ${name} ${Object.values(versions)[1]}.`);
  });

  it('says how to build it when it is not built', () => {
    expect(decide({ runtime: { name: 'Node', version: '26.10.0' }, isBuilt: false, ownNode: undefined })).toMatchObject(
      {
        run: 'nothing',
        message: expect.stringContaining('npm run build') as unknown,
      },
    );
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

describe('the memory of a gateway', () => {
  it('is limited from the start of its process', () => {
    const { flags, environment } = findMemoryOptions(['--inspect'], { PATH: '/bin' });

    expect(flags).toEqual(['--max-semi-space-size=8', '--inspect']);
    expect(environment).toEqual({
      MALLOC_ARENA_MAX: '2',
      MALLOC_MMAP_THRESHOLD_: '131072',
      MALLOC_TRIM_THRESHOLD_: '131072',
      PATH: '/bin',
    });
  });

  it.each([
    [['--max-semi-space-size=64'], undefined],
    [['--min_semi_space_size=16'], undefined],
    [[], '--semi-space-growth-factor=4'],
  ])('is sized by the operator, whose flags are %j and NODE_OPTIONS %j', (flags, options) => {
    expect(findMemoryOptions(flags, { NODE_OPTIONS: options }).flags).toEqual(flags);
  });

  it('keeps the variables of the operator', () => {
    expect(findMemoryOptions([], { MALLOC_ARENA_MAX: '8' }).environment['MALLOC_ARENA_MAX']).toBe('8');
  });
});

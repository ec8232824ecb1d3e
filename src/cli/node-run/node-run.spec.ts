import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NodeMedia, type NodeCommandSetup } from '../../client/node/index.js';
import { isProgramAllowed, parseAllowedPrograms } from './allowed-programs.js';
import { findProgram } from './find-program.js';
import { makeFileCommands } from './files.js';
import { listCommands } from './list-commands.js';
import { makeRunCommand, whenProgramsEnded } from './run-program.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'node-run-')));
const root = join(folder, 'shared');
mkdirSync(join(root, 'sub'), { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

const call = async (
  command: NodeCommandSetup | undefined,
  parameters: object,
  signal = new AbortController().signal,
) => {
  const context = { callId: 'c', sessionId: 's', signal, progress: () => {} };
  return command?.run(parameters as never, context);
};

/** Resolves with the code of the failure. */
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    ({ code }: { code: string }) => code,
  );

describe('files of a node', () => {
  const [read, list] = makeFileCommands(root);
  const outside = join(folder, 'secret.txt');
  writeFileSync(outside, 'secret');
  writeFileSync(join(root, 'a.txt'), 'hello');
  writeFileSync(join(root, 'sub', 'picture.bin'), Buffer.from([1, 0, 2]));
  symlinkSync(outside, join(root, 'link.txt'));
  symlinkSync(folder, join(root, 'up'));
  symlinkSync('/dev/zero', join(root, 'zero'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  writeFileSync(join(root, 'large.bin'), '');
  truncateSync(join(root, 'large.bin'), 11 * 1_048_576);

  it('[F-15] are text as it is, and other bytes as an upload', async () => {
    expect(await call(read, { path: 'a.txt' })).toEqual({ path: 'a.txt', size_bytes: 5, text: 'hello' });
    expect(await call(read, { path: './sub//picture.bin' })).toBeInstanceOf(NodeMedia);
  });

  it.each([
    ['a link to a file', 'link.txt', 'NOT_ALLOWED'],
    ['a path over a link', 'up/secret.txt', 'NOT_ALLOWED'],
    ['a link to a device', 'zero', 'NOT_ALLOWED'],
    ['a pipe, which has no writer', 'pipe', 'NOT_ALLOWED'],
    ['a folder', 'sub', 'NOT_ALLOWED'],
    ['a path that leads up', '../secret.txt', 'NOT_ALLOWED'],
    ['a path that leads up and down', 'sub/../../secret.txt', 'NOT_ALLOWED'],
    ['an absolute path', '/etc/hostname', 'NOT_ALLOWED'],
    ['a drive', 'C:\\Windows\\win.ini', 'NOT_ALLOWED'],
    ['the folder itself', '.', 'NOT_ALLOWED'],
    ['a zero byte', 'a.txt\u0000', 'NOT_ALLOWED'],
    ['nothing', 'missing.txt', 'NOT_FOUND'],
    ['more than 10 MiB', 'large.bin', 'TOO_LARGE'],
  ])('[F-15] are not read by %s', async (_name, path, code) => {
    expect(await codeOf(call(read, { path }))).toBe(code);
  });

  it('of a file system that makes them up are not read', async () => {
    const [readProc] = makeFileCommands('/');
    expect(await codeOf(call(readProc, { path: 'proc/self/environ' }))).toBe('NOT_ALLOWED');
  });

  it('are listed with links as links', async () => {
    const listed = (await call(list, {})) as { entries: { name: string; kind: string; size_bytes?: number }[] };
    expect(listed.entries.find(({ name }) => name === 'a.txt')).toEqual({ name: 'a.txt', kind: 'file', size_bytes: 5 });
    expect(listed.entries.find(({ name }) => name === 'up')).toEqual({ name: 'up', kind: 'link' });
    expect(await codeOf(call(list, { path: 'up' }))).toBe('NOT_ALLOWED');
    expect(await codeOf(call(list, { path: '..' }))).toBe('NOT_ALLOWED');
  });
});

describe('programs of a node', () => {
  it.each(
    ['sh', 'env', 'find', 'python3', 'node', 'xargs', 'sudo', 'git', 'tar', 'sed', 'man', 'zip'].filter((name) =>
      findProgram(name),
    ),
  )('%s is not allowed by its name alone, since it runs others', (name) => {
    expect(() => parseAllowedPrograms([name])).toThrow('name its arguments too');
    expect(parseAllowedPrograms([`${name} --version`])).toHaveLength(1);
  });

  it('are known by their real paths, so a link to a shell is a shell', () => {
    symlinkSync(findProgram('sh') ?? '', join(folder, 'harmless'));
    expect(() => parseAllowedPrograms([join(folder, 'harmless')])).toThrow('can run other programs');
  });

  it('that do not exist, or that a shell starts, are refused', () => {
    expect(() => parseAllowedPrograms(['no-such-program'])).toThrow('there is no program');
    writeFileSync(join(folder, 'a.cmd'), '');
    chmodSync(join(folder, 'a.cmd'), 0o755);
    expect(() => parseAllowedPrograms([join(folder, 'a.cmd')])).toThrow('there is no program');
    expect(() => parseAllowedPrograms(['./relative'])).toThrow('there is no program');
  });

  it('[F-15] are allowed with exactly the arguments that are named', () => {
    const programs = parseAllowedPrograms(['echo a *', 'true']);
    const echo = findProgram('echo') ?? '';
    expect(isProgramAllowed(programs, echo, ['a', 'anything'])).toBe(true);
    for (const args of [['a'], ['b', 'x'], ['a', 'x', 'y'], []])
      expect(isProgramAllowed(programs, echo, args)).toBe(false);
    expect(isProgramAllowed(programs, findProgram('true') ?? '', ['any'])).toBe(true);
    expect(isProgramAllowed(programs, 'echo', ['a', 'x'])).toBe(false);
  });

  it('[F-15] run without a shell, in a fixed environment, below the folder', async () => {
    process.env['GIT_SSH_COMMAND'] = 'evil';
    const program = findProgram('env') ?? '';
    const run = makeRunCommand([{ path: program, args: undefined }], root);
    expect(run.parameters).toMatchObject({ properties: { program: { enum: [program] } } });
    const { stdout, exit_code: code } = (await call(run, { program })) as { stdout: string; exit_code: number };
    delete process.env['GIT_SSH_COMMAND'];
    expect(code).toBe(0);
    expect(stdout).not.toContain('GIT_SSH_COMMAND');
    expect(
      stdout
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter((name) => name !== '')
        .toSorted((a = '', b = '') => (a < b ? -1 : 1)),
    ).toEqual(['HOME', 'LANG', 'PATH', 'TMPDIR']);
    const pwd = makeRunCommand(parseAllowedPrograms(['pwd']), root);
    const where = async (cwd?: string) =>
      ((await call(pwd, { program: findProgram('pwd'), cwd })) as { stdout: string }).stdout.trim();
    expect(await where()).toBe(root);
    expect(await where('sub')).toBe(join(root, 'sub'));
    for (const cwd of ['..', folder, 'up']) expect(await codeOf(where(cwd))).toBe('NOT_ALLOWED');
  });

  it('end with all that they have started when their call is cancelled', async () => {
    const script = join(folder, 'spawning.sh');
    const pids = join(folder, 'pids');
    writeFileSync(script, `#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $! > ${pids}\necho $$ >> ${pids}\nsleep 600\n`);
    chmodSync(script, 0o755);
    const run = makeRunCommand([{ path: script, args: undefined }], root);
    const stop = new AbortController();
    const ended = call(run, { program: script }, stop.signal);
    await expect.poll(() => readPids(pids)).toHaveLength(2);
    stop.abort();
    await ended;
    await whenProgramsEnded();
    await expect.poll(() => readPids(pids).filter(isAlive)).toEqual([]);
  });

  it('keep the end of a long output', async () => {
    const program = findProgram('seq') ?? '';
    const run = makeRunCommand([{ path: program, args: undefined }], root);
    const result = (await call(run, { program, args: ['100000'] })) as { stdout: string; truncated: boolean };
    expect(result.truncated).toBe(true);
    expect(result.stdout.endsWith('99999\n100000\n')).toBe(true);
    expect(result.stdout.length).toBe(65_536);
  });
});

describe('the commands of a node', () => {
  it('are those that it was given', async () => {
    const names = async (powers: Parameters<typeof listCommands>[0]) =>
      (await listCommands(powers)).map(({ name }) => name).filter((name) => !/notify|capture/.test(name));
    expect(await names({ root: undefined, allowRun: [] })).toEqual(['system.info']);
    expect(await names({ root, allowRun: ['true'] })).toEqual([
      'system.info',
      'files.read',
      'files.list',
      'system.run',
    ]);
    await expect(names({ root: join(folder, 'missing'), allowRun: [] })).rejects.toThrow('ENOENT');
  });
});

function readPids(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

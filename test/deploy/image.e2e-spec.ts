import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { composeSettings } from '../../src/settings.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const dockerfile = read('Dockerfile').replaceAll(/\\\n/g, ' ');
const DRAIN_DEFAULT_MS = composeSettings().find('gateway.drain_timeout_ms')?.schema.default as number;
/** Base image of the second stage, as its registry states it, in MB. */
const BASE_MB = 35;
const MAX_IMAGE_MB = 250;
/** The libraries of the base image: the C library, and those of the compiler but libatomic. */
const BASE_LIBRARIES = /^lib(?:c|dl|m|pthread|rt|gcc_s|gomp|stdc\+\+)\.so/;

const hasBubblewrap = await once(spawn('bwrap', ['--version'], { stdio: 'ignore' }), 'exit').then(
  ([code]) => code === 0,
  () => false,
);

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

const temporary = (name: string) => {
  const folder = mkdtempSync(join(tmpdir(), name));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/**
 * Starts a gateway as the image does: a user that no file knows, in group 0, with nothing to write to but `data` below
 * the folder of the settings. Resolves with its address.
 */
async function startAsInImage(app: string, folder: string): Promise<string> {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const user = ['--die-with-parent', '--unshare-user', '--uid', '12345', '--gid', '0'];
  const files = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--bind', data, data, '--chdir', folder];
  child = spawn('bwrap', [...user, ...files, process.execPath, join(app, 'bin/openclaw.js'), 'start'], {
    env: {
      ...variables,
      PATH: process.env['PATH'],
      // Not a folder in which anything can be written.
      TMPDIR: '/proc',
      SQLITE_TMPDIR: data,
      OPENCLAW_GATEWAY_HOST: '127.0.0.1',
      OPENCLAW_GATEWAY_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    const url = /ready at (http:\S+?),? /.exec(output)?.[1];
    if (url) return url;
  }
  throw new Error(`the gateway ended: ${output}${String(await child.stderr?.toArray())}`);
}

/** The variables of the image. */
const variables = Object.fromEntries(
  [...(/^ENV (.*)$/m.exec(dockerfile)?.[1] ?? '').matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
);

/** The instructions of a kind, in order. */
const instructions = (kind: string) =>
  [...dockerfile.matchAll(new RegExp(`^${kind} (.*)$`, 'gm'))].map(([, text]) => text ?? '');

describe('the image', () => {
  it('runs as no root, has no shell in its commands, and asks itself whether it is ready', () => {
    expect(instructions('USER')).toEqual(['65532']);
    for (const kind of ['ENTRYPOINT', 'CMD'])
      expect(JSON.parse(instructions(kind).at(-1) as string)).toBeInstanceOf(Array);
    expect(instructions('HEALTHCHECK')[0]).toContain('/health/ready');
  });

  it('is built with the Node of the repository', () => {
    const versions = Object.values(
      (JSON.parse(read('scripts/node/package.json')) as { optionalDependencies: Record<string, string> })
        .optionalDependencies,
    );
    expect(instructions('FROM')[0]).toBe(`node:${versions[0]}-trixie-slim AS build`);
  });

  it('has every library that its Node needs, from its base or from the first stage', () => {
    const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/^\s+(lib\S+) =>/gm);
    const needed = [...libraries].map(([, name]) => name ?? '').filter((name) => !BASE_LIBRARIES.test(name));
    for (const name of needed) expect(dockerfile).toContain(`cp -L /usr/lib/*/${name} /out/lib/`);
    expect(dockerfile).toContain('COPY --from=build /out/lib /usr/lib\n');
  });

  it('gets no secret, no data and no history from the folder of the build', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const path of ['.git', '.env', 'config.yaml', 'secrets', 'data', 'node_modules'])
      expect(ignored).toContain(path);
  });

  it.runIf(hasBubblewrap)(
    'starts under any user, on a read-only file system, with /data alone to write to',
    async () => {
      const folder = temporary('image-data-');
      const url = await startAsInImage(ROOT, folder);
      expect((await fetch(new URL('/health/ready', url))).status).toBe(200);
      expect(readdirSync(join(folder, 'data'))).toContain('gateway.db');
    },
  );

  // Half a minute and more: it installs all packages.
  it.runIf(process.env['LONG'] && hasBubblewrap)(
    `is made by its steps in a clean folder, weighs under ${MAX_IMAGE_MB} MB, and starts`,
    { timeout: 900_000 },
    async () => {
      const [source, out] = [temporary('image-source-'), temporary('image-out-')];
      for (const path of execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')) {
        if (/^(test|bench)\//.test(path)) continue;
        mkdirSync(join(source, path, '..'), { recursive: true });
        cpSync(join(ROOT, path), join(source, path));
      }
      for (const step of instructions('RUN')) {
        execFileSync('sh', ['-euc', step.replaceAll('/out', out)], { cwd: source, stdio: 'pipe' });
      }
      const app = join(out, 'app');
      const bytes = readdirSync(app, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .reduce(
          (sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size,
          statSync(process.execPath).size,
        );
      process.stdout.write(`image: ${Math.round(bytes / 1e6)} MB and a base of ${BASE_MB} MB\n`);
      expect(bytes / 1e6 + BASE_MB).toBeLessThan(MAX_IMAGE_MB);
      expect(readdirSync(app).toSorted()).toEqual(['LICENSE', 'bin', 'dist', 'node_modules', 'package.json']);

      const url = await startAsInImage(app, out);
      expect((await fetch(new URL('/chat', url))).status).toBe(200);
    },
  );

  if (!hasBubblewrap) {
    it('is not started here: bubblewrap is not installed (apt-get install bubblewrap)', ({ skip }) => skip());
  }
});

describe('compose.yaml', () => {
  const { gateway } = (parse(read('compose.yaml')) as { services: Record<string, Record<string, unknown>> }).services;

  it('gives the gateway its drain and 15 s before it is killed', () => {
    expect(gateway?.['stop_grace_period']).toBe(`${DRAIN_DEFAULT_MS / 1_000 + 15}s`);
  });

  it('reaps children, writes to its volume alone, has no rights, and publishes to this machine', () => {
    expect(gateway).toMatchObject({ init: true, read_only: true, cap_drop: ['ALL'], ports: ['127.0.0.1:18789:18789'] });
  });
});

describe('the systemd unit', () => {
  const unit = read('deploy/systemd/openclaw-gateway.service');
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

  it('ends the gateway first, and its tools with it, after the drain and 15 s', () => {
    expect(value('KillMode')).toBe('mixed');
    expect(value('TimeoutStopSec')).toBe(`${DRAIN_DEFAULT_MS / 1_000 + 15}s`);
  });

  it('has the token from a credential, and no user of its own', () => {
    expect(value('LoadCredential')).toBe('token:/etc/openclaw/token');
    expect(value('DynamicUser')).toBe('yes');
    expect(relative('/var/lib', value('WorkingDirectory')?.replace('%S', '/var/lib') ?? '')).toBe(
      value('StateDirectory'),
    );
  });
});

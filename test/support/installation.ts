import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly peerDependencies?: object;
}

/** The folder of a team in which the packed package is installed, as `npm install FILE.tgz` would do it. */
export interface Installation {
  readonly folder: string;
  /** The command that npm links as `openclaw`. */
  readonly command: string;
  /** Paths of all installed packages, this one included, relative to `folder`. */
  readonly packages: readonly string[];
}

/**
 * Packs the built package and installs it without a registry: its dependencies are those of the lockfile, from the
 * repository. A linked package resolves its imports in the repository, so packages that look for optional peers are
 * copied; copies of all would take many seconds.
 */
export function installPackage(): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'installation-'));
  const dependencies = listDependencies();
  for (const { path, hasPeers } of dependencies) put(path, folder, hasPeers);
  const own = 'node_modules/openclaw-gateway-nest';
  mkdirSync(join(folder, own), { recursive: true });
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
  });
  execFileSync('tar', [
    '-xzf',
    join(folder, packed.toString().trim()),
    '--strip-components=1',
    '-C',
    join(folder, own),
  ]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return {
    folder,
    command: join(folder, own, 'bin/openclaw.js'),
    packages: [own, ...dependencies.map(({ path }) => path)],
  };
}

/** Compiles one of the examples into a folder of the installation, with its settings, and returns that folder. */
export function compileExample({ folder }: Installation, name: string): string {
  const source = join(ROOT, 'examples', name);
  const target = join(folder, name);
  compile(source, { outDir: join(target, 'dist') });
  cpSync(source, target, { recursive: true, filter: (file) => !file.endsWith('.ts') });
  return target;
}

/** Source files by path: the programs of a run have those of the packages in common. */
const sources = new Map<string, ts.SourceFile | undefined>();

/**
 * Compiles a folder by its `tsconfig.json`, as `tsc` does, with some options changed.
 * @throws Error with what the compiler objects to
 */
export function compile(folder: string, changes: ts.CompilerOptions): void {
  const config = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), changes, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    },
  });
  if (!config) throw new Error(`${folder} has no tsconfig.json`);
  const host = ts.createCompilerHost(config.options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (!sources.has(name)) sources.set(name, read(name, ...rest));
    return sources.get(name);
  };
  const program = ts.createProgram(config.fileNames, config.options, host);
  const faults = [...config.errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (faults.length > 0) throw new Error(ts.formatDiagnostics(faults, host));
}

function put(path: string, folder: string, hasPeers: boolean): void {
  const [source, target] = [join(ROOT, path), join(folder, path)];
  mkdirSync(dirname(target), { recursive: true });
  // Nested packages are put by themselves.
  const nested = join(source, 'node_modules');
  if (hasPeers || existsSync(nested)) cpSync(source, target, { recursive: true, filter: (file) => file !== nested });
  else symlinkSync(source, target);
}

function listDependencies(): { path: string; hasPeers: boolean }[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, optional, link }]) => {
      return path.startsWith('node_modules/') && !dev && !devOptional && !optional && !link;
    })
    .map(([path, { peerDependencies }]) => ({ path, hasPeers: peerDependencies !== undefined }));
}

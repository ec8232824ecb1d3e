import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import {
  MAX_OPEN_FILES,
  MEGABYTE,
  SANDBOX_ENVIRONMENT,
  SANDBOX_UID,
  SandboxEngine,
  SandboxUnavailableError,
  TMP_BYTES,
  WORKSPACE_MOUNT,
  type SandboxCommand,
  type SandboxExit,
  type SandboxLimits,
} from './sandbox-engine.js';
import { buildSeccompFilter } from './seccomp-filter.js';

/** Time limit for the last processes of a sandbox to exit, in milliseconds. */
const EXIT_TIMEOUT_MS = 1_000;
const CHECK_LIMITS: SandboxLimits = { memoryMb: 256, cpu: 1, pids: 64, timeoutMs: 5_000, fileBytes: 0 };

/**
 * Runs commands in their own namespaces, with the programs of this machine (`/usr`, read-only), for machines without a
 * Docker daemon. Weaker than a container in two ways: memory is limited per process and not for the whole command, and
 * processor time is limited as a sum and not as a rate.
 */
export class BubblewrapEngine extends SandboxEngine {
  override readonly name = 'bubblewrap';
  private readonly filter = buildSeccompFilter();
  private hasReaped = false;

  /**
   * @param root folder of the workspaces, which identifies leftovers of an earlier process
   * @param isRoot whether the gateway runs as root; commands must not
   */
  constructor(
    private readonly root?: string,
    private readonly isRoot = process.getuid?.() === 0,
  ) {
    super();
  }

  /** The first call also ends sandboxes that an earlier process left. */
  override async check(): Promise<void> {
    if (process.platform !== 'linux') throw new SandboxUnavailableError('bubblewrap needs Linux');
    // Without root, a user namespace that forbids further ones has the same effect.
    if (this.isRoot && !this.filter)
      throw new SandboxUnavailableError(`bubblewrap under root has no filter for ${process.arch}: run as another user`);
    if (!this.hasReaped && this.root !== undefined) reap(this.root);
    this.hasReaped = true;
    let complaint = '';
    const command: SandboxCommand = {
      argv: ['/bin/sh', '-c', 'exit 0'],
      workspace: '/usr',
      limits: CHECK_LIMITS,
      onOutput: (chunk) => (complaint += Buffer.from(chunk).toString()),
    };
    const { exitCode } = await this.run(command, AbortSignal.timeout(CHECK_LIMITS.timeoutMs));
    if (exitCode !== 0)
      throw new SandboxUnavailableError(`bubblewrap cannot make a sandbox here (${complaint.trim().slice(0, 300)})`);
  }

  override async run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit> {
    signal.throwIfAborted();
    const child = spawn('bwrap', [...this.buildSandbox(command), ...enterWith(command.limits), ...command.argv], {
      // For finding bwrap; the command gets its own environment.
      env: { PATH: process.env['PATH'] },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      // In its own process group, so that all of it can be killed.
      detached: true,
    });
    const filterPipe = child.stdio[4] as Writable;
    // If bwrap cannot be started, its own error is reported.
    filterPipe.on('error', () => {});
    filterPipe.end(this.filter);
    const insidePid = readInsidePid(child);
    try {
      return await waitForEnd(child, command, signal);
    } finally {
      await waitUntilGone(await insidePid);
    }
  }

  private buildSandbox({ workspace, mounts = [] }: SandboxCommand): string[] {
    return [
      ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
      ...['--info-fd', '3', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
      ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/sbin', '/sbin'],
      ...['--symlink', 'usr/lib', '/lib', '--ro-bind-try', '/lib64', '/lib64'],
      // Targets of Debian's alternatives. Without `--dir` the folder above would not be readable.
      ...['--perms', '0755', '--dir', '/etc', '--ro-bind-try', '/etc/alternatives', '/etc/alternatives'],
      ...['--proc', '/proc', '--dev', '/dev', '--size', String(TMP_BYTES), '--perms', '1777', '--tmpfs', '/tmp'],
      ...[...new Set(mounts.map(({ target }) => dirname(target)))].flatMap((path) => [
        '--perms',
        '0755',
        '--dir',
        path,
      ]),
      ...mounts.flatMap(({ source, target }) => ['--ro-bind', source, target]),
      ...['--bind', workspace, WORKSPACE_MOUNT, '--remount-ro', '/', '--clearenv'],
      ...Object.entries(SANDBOX_ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
      ...(this.filter ? ['--seccomp', '4'] : []),
      ...(this.isRoot
        ? dropPrivileges()
        : [
            '--unshare-user',
            '--disable-userns',
            '--cap-drop',
            'ALL',
            '--uid',
            String(SANDBOX_UID),
            '--gid',
            String(SANDBOX_UID),
          ]),
    ];
  }
}

/**
 * Under root, bwrap stays root and the command irrevocably switches to another user: a user namespace would only map
 * root, and the kernel does not limit the number of root's processes.
 */
function dropPrivileges(): string[] {
  const identity = [
    'setpriv',
    '--reuid',
    String(SANDBOX_UID),
    '--regid',
    String(SANDBOX_UID),
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  const needed = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((name) => ['--cap-add', name]);
  return ['--cap-drop', 'ALL', ...needed, ...identity];
}

function enterWith({ memoryMb, cpu, pids, timeoutMs, fileBytes }: SandboxLimits): string[] {
  const limits = {
    nproc: pids,
    as: memoryMb * MEGABYTE,
    cpu: Math.ceil((cpu * timeoutMs) / 1_000),
    fsize: fileBytes,
    nofile: MAX_OPEN_FILES,
    core: 0,
  };
  // The command changes to the workspace itself, because bwrap may not have the right to enter it.
  return [
    'env',
    '-C',
    WORKSPACE_MOUNT,
    'prlimit',
    ...Object.entries(limits).map(([name, value]) => `--${name}=${value}`),
    '--',
  ];
}

function waitForEnd(
  child: ChildProcess,
  { input, onOutput }: SandboxCommand,
  signal: AbortSignal,
): Promise<SandboxExit> {
  const { promise, resolve, reject } = Promise.withResolvers<SandboxExit>();
  const kill = () => killGroup(child);
  signal.addEventListener('abort', kill, { once: true });
  child.stdout?.on('data', (chunk: Buffer) => onOutput(chunk, 'stdout'));
  child.stderr?.on('data', (chunk: Buffer) => onOutput(chunk, 'stderr'));
  // A command need not read all of its input.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  child.on('error', (error) =>
    reject(new SandboxUnavailableError(`bwrap cannot be started (${error.message})`, { cause: error })),
  );
  child.on('close', (code, killedBy) => {
    if (signal.aborted) return reject(signal.reason);
    resolve({ exitCode: code ?? 128 + (killedBy ? constants.signals[killedBy] : 0), isOutOfMemory: false });
  });
  return promise.finally(() => signal.removeEventListener('abort', kill));
}

/** Returns the outer process id of the sandbox's init process, whose exit ends all processes inside. */
async function readInsidePid(child: ChildProcess): Promise<number | undefined> {
  const chunks: Buffer[] = [];
  const pipe = child.stdio[3] as Readable;
  pipe.on('data', (chunk: Buffer) => chunks.push(chunk));
  await finished(pipe).catch(() => {});
  const [, pid] = /"child-pid": (\d+)/.exec(Buffer.concat(chunks).toString()) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** bwrap exits a moment before the processes inside. */
async function waitUntilGone(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  for (let left = EXIT_TIMEOUT_MS; left > 0 && isAlive(pid); left--) await setTimeout(1);
}

/** A zombie keeps its process id until its parent reaps it, which in a container may never happen. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/**
 * Ends sandboxes on folders of `root`. If the gateway is killed after starting bwrap and before bwrap asks to die with
 * its parent, a sandbox is left waiting.
 */
function reap(root: string): void {
  for (const path of globSync('/proc/[0-9]*/cmdline')) {
    try {
      const [program = '', ...args] = readFileSync(path, 'utf8').split('\0');
      const isOurs = basename(program) === 'bwrap' && args.some((arg) => arg.startsWith(`${root}/`));
      if (isOurs) process.kill(Number(path.split('/')[2]), 'SIGKILL');
    } catch {
      // It has ended meanwhile, or belongs to another user.
    }
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

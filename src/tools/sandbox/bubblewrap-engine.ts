import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename } from 'node:path';
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

/** How long the last processes of a sandbox may take to go, in milliseconds. */
const GONE_WITHIN_MS = 1_000;
const CHECK_LIMITS: SandboxLimits = { memoryMb: 256, cpu: 1, pids: 64, timeoutMs: 5_000, fileBytes: 0 };

/**
 * Commands in namespaces of their own, on the programs of this machine (`/usr`, read-only), for where there is no Docker
 * daemon. Weaker than a container in two ways: memory is limited for each process, not for all of them together, and
 * processor time is limited as a sum, not as a rate.
 */
export class BubblewrapEngine extends SandboxEngine {
  override readonly name = 'bubblewrap';
  private readonly filter = buildSeccompFilter();
  private hasReaped = false;

  /**
   * @param root folder of the workspaces, by which leftovers of an earlier process are found
   * @param isRoot whether the gateway runs as root, which nothing inside may be
   */
  constructor(
    private readonly root?: string,
    private readonly isRoot = process.getuid?.() === 0,
  ) {
    super();
  }

  /** The first time it also ends what an earlier process has left. */
  override async check(): Promise<void> {
    if (process.platform !== 'linux') throw new SandboxUnavailableError('bubblewrap needs Linux');
    // Without root, a user namespace that allows no other does the same.
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
    const child = spawn(
      'bwrap',
      [...this.buildSandbox(command.workspace), ...enterWith(command.limits), ...command.argv],
      {
        // To find bwrap by; the command gets another.
        env: { PATH: process.env['PATH'] },
        stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
        // A group of its own, so that all of it can be killed.
        detached: true,
      },
    );
    const filterPipe = child.stdio[4] as Writable;
    // A bwrap that cannot be started reads nothing; its own error tells why.
    filterPipe.on('error', () => {});
    filterPipe.end(this.filter);
    const insidePid = readInsidePid(child);
    try {
      return await waitForEnd(child, command, signal);
    } finally {
      await waitUntilGone(await insidePid);
    }
  }

  private buildSandbox(workspace: string): string[] {
    return [
      ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
      ...['--info-fd', '3', '--die-with-parent', '--new-session', '--hostname', 'sandbox'],
      ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/sbin', '/sbin'],
      ...['--symlink', 'usr/lib', '/lib', '--ro-bind-try', '/lib64', '/lib64'],
      // Where Debian's names of programs lead. The folder around it would be closed otherwise.
      ...['--perms', '0755', '--dir', '/etc', '--ro-bind-try', '/etc/alternatives', '/etc/alternatives'],
      ...['--proc', '/proc', '--dev', '/dev', '--size', String(TMP_BYTES), '--perms', '1777', '--tmpfs', '/tmp'],
      ...['--bind', workspace, WORKSPACE_MOUNT, '--remount-ro', '/', '--clearenv'],
      ...Object.entries(SANDBOX_ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
      ...(this.filter ? ['--seccomp', '4'] : []),
      ...(this.isRoot
        ? becomeNobody()
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
 * For root a user namespace would only rename it, and the kernel limits root's processes nowhere: what makes the sandbox
 * stays root, and the command becomes somebody else for good.
 */
function becomeNobody(): string[] {
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
  // What makes the sandbox may have no right to enter the workspace, so the command does it.
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
  // A command that does not read all of its input is no failure.
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

/** The number, out here, of the process whose end ends all others inside. */
async function readInsidePid(child: ChildProcess): Promise<number | undefined> {
  const chunks: Buffer[] = [];
  const pipe = child.stdio[3] as Readable;
  pipe.on('data', (chunk: Buffer) => chunks.push(chunk));
  await finished(pipe).catch(() => {});
  const [, pid] = /"child-pid": (\d+)/.exec(Buffer.concat(chunks).toString()) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** The end of bwrap is a moment earlier than that of everything inside. */
async function waitUntilGone(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  for (let left = GONE_WITHIN_MS; left > 0 && isAlive(pid); left--) await setTimeout(1);
}

/** A dead process may keep its number until somebody asks for its exit code, which in a container may be nobody. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/**
 * Ends sandboxes on folders of `root`. A gateway that is killed between the start of bwrap and the moment at which bwrap
 * asks to die with its parent leaves one that waits for ever.
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

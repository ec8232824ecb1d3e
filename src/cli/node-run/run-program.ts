import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { homedir, tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { isAbsolute, sep } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CommandError, type CommandContext, type NodeCommandSetup } from '../../client/node/index.js';
import { isProgramAllowed, type AllowedProgram } from './allowed-programs.js';
import { PROGRAM_PATH } from './find-program.js';

/** Time limit of a program, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** Time for a program to end by itself before it is killed, in milliseconds. */
const GRACE_MS = 1_000;

/** The end of each stream that is kept, in bytes. */
const MAX_OUTPUT_BYTES = 65_536;

/** The programs that run, so that this process does not leave before they have ended. */
const running = new Set<Promise<unknown>>();

/** Resolves when no program of a call runs. */
export async function whenProgramsEnded(): Promise<void> {
  await Promise.allSettled(running);
}

/** Makes `system.run`. @param root the folder that `cwd` must be in; undefined: programs run in the home folder */
export function makeRunCommand(programs: readonly AllowedProgram[], root: string | undefined): NodeCommandSetup {
  const paths = [...new Set(programs.map(({ path }) => path))];
  return {
    name: 'system.run',
    description:
      'Starts a program of this machine, without a shell, and returns its exit code and the end of its output. ' +
      `Allowed: ${programs.map(({ path, args }) => [path, ...(args ?? ['...'])].join(' ')).join('; ')}.`,
    parameters: {
      type: 'object',
      properties: {
        program: { type: 'string', enum: paths, description: 'The path of the program.' },
        args: { type: 'array', items: { type: 'string' }, maxItems: 256 },
        cwd: { type: 'string', description: `The folder to run in: ${root ?? homedir()}, or below it.` },
      },
      required: ['program'],
      additionalProperties: false,
    },
    timeoutMs: TIMEOUT_MS,
    dangerous: true,
    run(parameters, { signal }) {
      const { program, args = [], cwd } = parameters as { program: string; args?: string[]; cwd?: string };
      if (!isProgramAllowed(programs, program, args))
        throw new CommandError('NOT_ALLOWED', 'this machine does not allow this program with these arguments');
      const work = runProgram(program, args, checkFolder(root ?? homedir(), cwd), signal);
      running.add(work);
      return work.finally(() => running.delete(work));
    },
  };
}

/** Returns the real path of a folder within `root`. @throws CommandError */
function checkFolder(root: string, cwd = root): string {
  let real: string;
  try {
    real = realpathSync(isAbsolute(cwd) ? cwd : `${root}${sep}${cwd}`);
  } catch {
    throw new CommandError('NOT_FOUND', `there is no folder ${cwd}`);
  }
  const base = realpathSync(root);
  if (real === base || real.startsWith(base + sep)) return real;
  throw new CommandError('NOT_ALLOWED', `programs run in ${base} or below it`);
}

async function runProgram(
  program: string,
  args: readonly string[],
  cwd: string,
  signal: CommandContext['signal'],
): Promise<object> {
  const child = spawn(program, args, {
    cwd,
    // The variables of this process are left out: one such as GIT_SSH_COMMAND would start another program.
    env: { PATH: PROGRAM_PATH, HOME: homedir(), LANG: 'C.UTF-8', TMPDIR: tmpdir() },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    // The leader of a process group, so that all of it can be ended.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const out = new OutputEnd();
  const err = new OutputEnd();
  child.stdout.on('data', (chunk: Buffer) => out.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.add(chunk));
  const onAbort = () => void endGroup(child);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return {
      exit_code: code,
      ...(killedBy !== null && { signal: killedBy }),
      stdout: out.text,
      stderr: err.text,
      ...((out.isCut || err.isCut) && { truncated: true }),
    };
  } catch (error) {
    throw new CommandError('NOT_STARTED', (error as Error).message);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Ends a program and all that it has started. */
async function endGroup(child: ChildProcess): Promise<void> {
  killGroup(child, 'SIGTERM');
  await Promise.race([once(child, 'close'), setTimeout(GRACE_MS)]);
  // Also when the leader has ended: others of its group may be left.
  killGroup(child, 'SIGKILL');
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { windowsHide: true });
    else process.kill(-child.pid, name);
  } catch {
    // Nothing of it is left.
  }
}

/** Keeps the end of a stream. */
class OutputEnd {
  isCut = false;
  private kept = Buffer.alloc(0);

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.kept, chunk]);
    this.isCut ||= all.length > MAX_OUTPUT_BYTES;
    this.kept = all.subarray(-MAX_OUTPUT_BYTES);
  }

  get text(): string {
    return this.kept.toString().replaceAll('\u0000', '\uFFFD');
  }
}

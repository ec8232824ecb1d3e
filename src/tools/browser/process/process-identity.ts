import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, which no later process with the same ID is taken for. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As the system reports it; its form differs between systems. */
  readonly startedAt: string;
}

/** Place of the start time among the fields after the name in `/proc/PID/stat`. */
const START_TIME = 19;

/** Returns the identity of a running process; undefined if there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Returns whether this very process still runs. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  return identify(pid)?.startedAt === startedAt;
}

/** Kills a process and its group, unless another process has its ID by now. */
export function killGroup(identity: ProcessIdentity): void {
  if (!isRunning(identity)) return;
  for (const target of [-identity.pid, identity.pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It does not lead a group, or has ended meanwhile.
    }
  }
}

/** A zombie counts as ended: only its parent can remove it. */
function readFromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[START_TIME];
  } catch {
    return undefined;
  }
}

function readFromPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

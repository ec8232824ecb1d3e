import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** The resources used so far by a process with all its threads and children. */
export interface Usage {
  /** CPU time in microseconds. */
  readonly cpuUs: number;
  /** Resident memory, in bytes. */
  readonly rssBytes: number;
}

/** Kernel clock ticks are 10 ms on every Linux that Node supports. */
const TICK_US = 10_000;

/**
 * Reads the usage of a process tree: from `/proc` on Linux, with nanosecond resolution; otherwise from `ps`, with
 * centisecond resolution.
 */
export function readUsage(pid: number): Usage {
  return process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
}

function readFromProc(pid: number): Usage {
  const tasks = readdirSync(`/proc/${pid}/task`);
  let cpuUs = 0;
  let rssBytes = readRss(pid);
  for (const task of tasks) {
    cpuUs += readTask(`/proc/${pid}/task/${task}`);
    for (const child of readChildren(`/proc/${pid}/task/${task}/children`)) {
      const usage = readFromProc(child);
      cpuUs += usage.cpuUs;
      rssBytes += usage.rssBytes;
    }
  }
  return { cpuUs, rssBytes };
}

/**
 * Returns the CPU time of a thread. Its scheduler statistics are finer than its ticks, but not available in every
 * kernel.
 */
function readTask(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1_000;
  } catch {
    const fields = readFileSync(`${folder}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  }
}

function readRss(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes ?? 0) * 1_024;
}

function readChildren(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function readFromPs(pid: number): Usage {
  const [time = '0', kilobytes = '0'] = execFileSync('ps', ['-o', 'cputime=,rss=', '-p', String(pid)])
    .toString()
    .trim()
    .split(/\s+/);
  const seconds = time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return { cpuUs: seconds * 1e6, rssBytes: Number(kilobytes) * 1_024 };
}

import { basename } from 'node:path';
import { matchesPattern } from '../../core/agents/name-pattern.js';
import { findProgram } from './find-program.js';

/** A program that calls may start. */
export interface AllowedProgram {
  /** The real path, found when the node starts: another program of the name does not count later. */
  readonly path: string;
  /** Patterns of the arguments, one for each; undefined: any. */
  readonly args: readonly string[] | undefined;
}

/** Programs that run what their arguments say: the name alone limits nothing. */
const RUNS_OTHERS = new Set([
  ...[
    'sh',
    'bash',
    'dash',
    'zsh',
    'fish',
    'ksh',
    'csh',
    'tcsh',
    'ash',
    'busybox',
    'toybox',
    'pwsh',
    'powershell',
    'cmd',
  ],
  ...[
    'env',
    'xargs',
    'find',
    'fd',
    'parallel',
    'nohup',
    'nice',
    'ionice',
    'timeout',
    'time',
    'watch',
    'setsid',
    'stdbuf',
  ],
  ...[
    'sudo',
    'doas',
    'su',
    'runuser',
    'chroot',
    'unshare',
    'nsenter',
    'ssh',
    'script',
    'expect',
    'strace',
    'gdb',
    'make',
  ],
  ...[
    'python',
    'node',
    'bun',
    'deno',
    'perl',
    'ruby',
    'php',
    'lua',
    'awk',
    'gawk',
    'mawk',
    'tclsh',
    'osascript',
    'java',
  ],
  ...[
    'npx',
    'npm',
    'uv',
    'uvx',
    'pip',
    'cargo',
    'go',
    'docker',
    'podman',
    'kubectl',
    'vim',
    'vi',
    'nvim',
    'emacs',
    'ed',
    'ex',
    'view',
  ],
  ...[
    'git',
    'hg',
    'svn',
    'tar',
    'bsdtar',
    'zip',
    'sed',
    'rsync',
    'scp',
    'sftp',
    'less',
    'more',
    'man',
    'curl',
    'wget',
    'gmake',
    'cmake',
    'ninja',
    'sqlite3',
    'systemd-run',
    'at',
    'crontab',
    'tmux',
    'screen',
  ],
]);

/**
 * Reads programs as `--allow-run` names them: `uptime`, or with the patterns of all arguments, `git log *`.
 * @throws Error if there is no such program, or its name limits nothing
 */
export function parseAllowedPrograms(entries: readonly string[]): readonly AllowedProgram[] {
  return entries.map((entry) => {
    const [name = '', ...args] = entry.trim().split(/\s+/);
    const path = findProgram(name);
    if (path === undefined)
      throw new Error(`--allow-run ${entry}: there is no program ${name} that can be started by itself`);
    if (args.length === 0 && [name, path].some(runsOthers))
      throw new Error(`--allow-run ${entry}: ${basename(path)} runs other programs; name its arguments too`);
    return { path, args: args.length === 0 ? undefined : args };
  });
}

/** Returns whether one of the programs may be started with these arguments. */
export function isProgramAllowed(programs: readonly AllowedProgram[], path: string, args: readonly string[]): boolean {
  return programs.some(
    (program) =>
      program.path === path &&
      (program.args === undefined ||
        (program.args.length === args.length &&
          program.args.every((pattern, place) => matchesPattern(args[place] ?? '', pattern)))),
  );
}

/** `python3.12` is python. */
function runsOthers(program: string): boolean {
  const name = basename(program)
    .toLowerCase()
    .replace(/\.exe$/, '');
  return RUNS_OTHERS.has(name) || RUNS_OTHERS.has(name.replace(/[-\d.]+$/, ''));
}

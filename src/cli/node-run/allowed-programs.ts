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

/** Programs that run what their arguments, a file that these name, or their pager say: the name alone limits nothing. */
const RUNS_OTHERS = new Set(
  [
    'sh bash dash zsh fish ksh mksh csh tcsh ash rbash busybox toybox nu pwsh powershell cmd wsl cscript wscript mshta',
    'env xargs find fd parallel nohup nice ionice timeout time watch entr setsid stdbuf flock taskset chrt cpulimit rlwrap',
    'sudo doas su sg newgrp pkexec runuser run0 chroot unshare nsenter setarch capsh logsave run-parts ip',
    'ssh scp sftp rsync socat nc ncat netcat telnet ftp curl wget openssl tcpdump nmap script expect strace ltrace gdb perf',
    'python pypy ipython node bun deno perl ruby irb php lua luajit awk gawk mawk nawk tclsh wish osascript java jshell',
    'groovy scala kotlin dotnet mono swift julia r rscript ghci guile sbcl clisp erl elixir iex sed gsed dc m4 jjs',
    'make gmake cmake ninja meson gradle mvn ant rake gcc g++ cc c++ clang ld tex latex pdftex pdflatex xetex lualatex',
    'npx npm pnpm yarn uv uvx pip pipx poetry conda gem bundle composer cargo rustup go apt apt-get dpkg yum dnf rpm brew snap',
    'docker podman nerdctl ctr lxc kubectl helm terraform ansible ansible-playbook vagrant virsh systemctl systemd-run',
    'journalctl loginctl service launchctl crontab at batch open xdg-open start forfiles rundll32 regsvr32 msiexec',
    'vim vi view vimdiff rvim nvim emacs ed ex nano pico joe mc less more most man tmux screen dtach',
    'git hg svn cvs gh glab tar gtar bsdtar cpio zip 7z split sort sqlite3 psql mysql mariadb mongo mongosh redis-cli gpg',
  ].flatMap((names) => names.split(' ')),
);

/**
 * Reads programs as `--allow-run` names them: `uptime`, or with the patterns of all arguments, `git status *`.
 * @throws Error if there is no such program, or its name limits nothing
 */
export function parseAllowedPrograms(entries: readonly string[]): readonly AllowedProgram[] {
  return entries.map((entry) => {
    const [name = '', ...args] = entry.trim().split(/\s+/);
    const path = findProgram(name);
    if (path === undefined)
      throw new Error(`--allow-run ${entry}: there is no program ${name} that can be started by itself`);
    if (args.length === 0 && [name, path].some(runsOthers))
      throw new Error(`--allow-run ${entry}: ${basename(path)} can run other programs; name its arguments too`);
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

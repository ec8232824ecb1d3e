/**
 * The contract of every sandbox engine, as tests. For vitest; not in the barrel, so that fakes need no test runner. The
 * tests use only programs that busybox has.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  MEGABYTE,
  type SandboxEngine,
  type SandboxLimits,
  type SandboxMount,
} from '../tools/sandbox/sandbox-engine.js';

const LIMITS: SandboxLimits = { memoryMb: 128, cpu: 1, pids: 32, timeoutMs: 20_000, fileBytes: 64 * MEGABYTE };

/** An engine under test, with a workspace of its own for each test. */
export class SandboxBench {
  readonly workspace = mkdtempSync(join(tmpdir(), 'sandbox-'));

  constructor(readonly engine: SandboxEngine) {
    if (process.getuid?.() === 0) chownSync(this.workspace, 65_534, 65_534);
    else chmodSync(this.workspace, 0o777);
  }

  /** Runs a shell script. Resolves with its exit code and its output on both streams, without trailing white space. */
  async run(
    script: string,
    options: {
      input?: string;
      limits?: Partial<SandboxLimits>;
      mounts?: readonly SandboxMount[];
      signal?: AbortSignal;
      onText?: (text: string) => void;
    } = {},
  ): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const printed = { stdout: '', stderr: '' };
    const { exitCode } = await this.engine.run(
      {
        argv: ['/bin/sh', '-c', script],
        workspace: this.workspace,
        ...(options.input !== undefined && { input: Buffer.from(options.input) }),
        limits: { ...LIMITS, ...options.limits },
        ...(options.mounts && { mounts: options.mounts }),
        onOutput: (chunk, stream) => {
          printed[stream] += Buffer.from(chunk).toString();
          options.onText?.(printed.stdout);
        },
      },
      options.signal ?? new AbortController().signal,
    );
    return { exitCode, stdout: printed.stdout.trimEnd(), stderr: printed.stderr.trimEnd() };
  }

  dispose(): void {
    rmSync(this.workspace, { recursive: true });
  }
}

/** Tests by the sentence that each proves. */
export const SANDBOX_CONTRACT: Readonly<Record<string, (bench: SandboxBench) => Promise<void>>> = {
  'returns the output on each stream and the exit code': async (bench) => {
    expect(await bench.run('echo out; echo err >&2; exit 7')).toEqual({ exitCode: 7, stdout: 'out', stderr: 'err' });
  },

  'passes the whole input to a command': async (bench) => {
    expect(await bench.run('cat; echo end', { input: 'some\nlines\n' })).toMatchObject({
      exitCode: 0,
      stdout: 'some\nlines\nend',
    });
    expect(await bench.run('cat; echo end')).toMatchObject({ stdout: 'end' });
  },

  'has the usual programs': async (bench) => {
    expect(await bench.run("echo a b | awk '{ print $2 }'")).toMatchObject({ exitCode: 0, stdout: 'b' });
  },

  'keeps the files of a command for the next one': async (bench) => {
    await bench.run('echo kept > file');
    expect(await bench.run('pwd; cat file')).toMatchObject({ stdout: '/workspace\nkept' });
    expect(readFileSync(join(bench.workspace, 'file'), 'utf8')).toBe('kept\n');
  },

  '[B-01] runs commands as user nobody, without capabilities or ways to gain them': async (bench) => {
    const { stdout } = await bench.run(
      'id -u; id -g; grep -E "^(CapPrm|CapEff|CapInh|CapAmb|CapBnd|NoNewPrivs)" /proc/self/status',
    );
    const [uid, gid, ...status] = stdout.split('\n');
    expect([uid, gid]).toEqual(['65534', '65534']);
    expect(status.map((line) => line.split(/\s+/).join(' ')).sort()).toEqual([
      'CapAmb: 0000000000000000',
      'CapBnd: 0000000000000000',
      'CapEff: 0000000000000000',
      'CapInh: 0000000000000000',
      'CapPrm: 0000000000000000',
      'NoNewPrivs: 1',
    ]);
  },

  '[B-01] lets commands make no namespaces and no mounts': async (bench) => {
    const script =
      'for kind in U m n p u i; do unshare -$kind true 2>/dev/null && echo "$kind"; done; mount -t tmpfs x /tmp 2>/dev/null && echo mount; exit 0';
    expect(await bench.run(script)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await bench.run('unshare -Urm id -u')).not.toMatchObject({ stdout: '0' });
  },

  '[B-02] lets commands write to the workspace and to /tmp, and nowhere else': async (bench) => {
    const script =
      'for place in / /usr /bin /etc /home /workspace /tmp; do (echo x > "$place/mine") 2>/dev/null && echo "$place"; done; exit 0';
    expect((await bench.run(script)).stdout.split('\n')).toEqual(['/workspace', '/tmp']);
    // The content of /tmp goes with its command.
    expect(await bench.run('cat /tmp/mine')).not.toMatchObject({ exitCode: 0 });
  },

  '[R-26] shows commands the mounted folders, read-only': async (bench) => {
    mkdirSync(join(bench.workspace, 'notes'));
    writeFileSync(join(bench.workspace, 'notes', 'run.sh'), 'echo from the skill');
    const mounts = [{ source: join(bench.workspace, 'notes'), target: '/skills/notes' }];
    expect(await bench.run('sh /skills/notes/run.sh; ls /skills', { mounts })).toMatchObject({
      stdout: 'from the skill\nnotes',
    });
    expect((await bench.run('echo x > /skills/notes/mine; rm /skills/notes/run.sh', { mounts })).exitCode).not.toBe(0);
    expect(await bench.run('ls /skills')).not.toMatchObject({ exitCode: 0 });
  },

  '[B-02] shows commands no file of the machine outside the workspace': async (bench) => {
    const secret = mkdtempSync(join(tmpdir(), 'secret-'));
    await bench.run(`ln -s ${secret} link`);
    expect(await bench.run('ls link/')).not.toMatchObject({ exitCode: 0 });
    expect(await bench.run(`ls ${process.cwd()}`)).not.toMatchObject({ exitCode: 0 });
    rmSync(secret, { recursive: true });
  },

  "[B-03] gives commands none of the gateway's environment": async (bench) => {
    process.env['SANDBOX_SECRET'] = 'do not tell';
    const { stdout } = await bench.run('env; cat /proc/*/environ 2>/dev/null');
    delete process.env['SANDBOX_SECRET'];
    expect(stdout).toContain('HOME=/workspace');
    expect(stdout).not.toContain('do not tell');
  },

  '[B-04] has no network but a loopback of its own': async (bench) => {
    const { stdout } = await bench.run('cat /proc/net/dev');
    expect(
      stdout
        .split('\n')
        .slice(2)
        .map((line) => line.split(':')[0]?.trim()),
    ).toEqual(['lo']);
  },

  "[B-05] shows commands no process but the sandbox's own": async (bench) => {
    const { stdout } = await bench.run('cat /proc/[0-9]*/cmdline 2>/dev/null');
    expect(stdout).not.toContain('vitest');
  },

  '[B-06] limits processes': async (bench) => {
    const script = 'i=0; while [ $i -lt 100 ]; do sleep 20 & i=$((i+1)); done; echo all';
    expect((await bench.run(script, { limits: { pids: 16 } })).stdout).not.toContain('all');
  },

  '[B-06] limits memory': async (bench) => {
    const { stdout } = await bench.run('dd if=/dev/zero of=/dev/null bs=512M count=1 && echo all', {
      limits: { memoryMb: 64 },
    });
    expect(stdout).not.toContain('all');
  },

  '[B-06] limits the size of files; at 0 it still deletes': async (bench) => {
    await bench.run('dd if=/dev/zero of=big bs=65536 count=100', { limits: { fileBytes: MEGABYTE } });
    expect(statSync(join(bench.workspace, 'big')).size).toBe(MEGABYTE);
    await bench.run('rm big; echo x > small', { limits: { fileBytes: 0 } });
    expect(existsSync(join(bench.workspace, 'big'))).toBe(false);
    expect(statSync(join(bench.workspace, 'small')).size).toBe(0);
  },

  '[B-07] leaves no process of a command that is stopped': async (bench) => {
    const mark = `mark-${randomUUID()}`;
    const stop = new AbortController();
    const reason = new Error('enough');
    const onText = (text: string) => text.includes('up') && stop.abort(reason);
    const running = bench.run(`(sleep 61; : ${mark}) & (trap "" TERM; sleep 62; : ${mark}) & echo up; wait`, {
      signal: stop.signal,
      onText,
    });
    await expect(running).rejects.toBe(reason);
    expect(findProcesses(mark)).toEqual([]);
  },

  '[B-07] leaves no background process of a command': async (bench) => {
    const mark = `mark-${randomUUID()}`;
    await bench.run(`(sleep 61; : ${mark}) >/dev/null 2>&1 & exit 0`);
    expect(findProcesses(mark)).toEqual([]);
  },

  'starts nothing when the signal is aborted before': async (bench) => {
    await expect(bench.run('touch file', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(existsSync(join(bench.workspace, 'file'))).toBe(false);
  },
};

/** The processes of this machine that have `mark` in their command lines. */
function findProcesses(mark: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      return readFileSync(path, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

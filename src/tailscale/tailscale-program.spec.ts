import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeldProgram } from './held-program.js';
import { TailscaleProgram } from './tailscale-program.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'program-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function write(script: string): TailscaleProgram {
  const path = join(folder, 'tailscale');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return new TailscaleProgram(
    () => path,
    () => '/run/t.sock',
  );
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a call of the program', () => {
  it('[H-04] ends in time with all that it has started, and keeps what it has said', async () => {
    const program = write('echo "visit https://login.tailscale.com/f/serve?node=n1"; sleep 600 & echo $! >&2; wait');
    const { isLate, code, stdout, stderr } = await program.run(['serve'], 300);
    expect([isLate, code, stdout]).toEqual([true, null, 'visit https://login.tailscale.com/f/serve?node=n1\n']);
    await expect.poll(() => isAlive(Number(stderr))).toBe(false);
  });

  it('gets the socket of tailscaled, and none of the secrets of the gateway', async () => {
    vi.stubEnv('OPENCLAW_AUTH_TOKEN', 'operator-token-0123456789');
    const { stdout } = await write('echo "$@"; env').run(['status', '--json']);
    expect(stdout).toMatch(/^--socket=\/run\/t\.sock status --json\n/);
    expect(stdout).toContain('PATH=');
    expect(stdout).not.toContain('operator-token');
  });

  it('is found in PATH, if it is a program', () => {
    const unset = new TailscaleProgram(
      () => undefined,
      () => undefined,
    );
    write('exit 0');
    mkdirSync(join(folder, 'first', 'tailscale'), { recursive: true });
    vi.stubEnv('PATH', `/nonexistent:${join(folder, 'first')}:${folder}`);
    expect(unset.commandOf(['status'])).toEqual([join(folder, 'tailscale'), 'status']);
  });

  it('is refused with a sentence when it cannot be started', async () => {
    const path = join(folder, 'odd');
    writeFileSync(path, '#!/nonexistent/interpreter\n');
    chmodSync(path, 0o755);
    const program = new TailscaleProgram(
      () => path,
      () => undefined,
    );
    await expect(program.run(['status'])).rejects.toThrow('cannot be started');
  });
});

describe('a program that is held', () => {
  const mark = () => join(folder, 'ended');

  it('[H-05] ends when it is let go, by a signal that it can handle', async () => {
    const held = new HeldProgram(write(`trap 'echo > ${mark()}; exit 0' TERM; echo up; while :; do sleep 0.05; done`), [
      'funnel',
    ]);
    await expect.poll(() => held.output.stdout).toBe('up\n');
    expect(held.isAlive).toBe(true);
    await held.end();
    expect([held.isAlive, existsSync(mark())]).toEqual([false, true]);
  });

  it('[H-05] is killed when it does not end', async () => {
    const held = new HeldProgram(write(`trap '' TERM; echo $$; while :; do sleep 0.05; done`), ['funnel']);
    await expect.poll(() => held.output.stdout).not.toBe('');
    await held.end();
    await expect.poll(() => isAlive(Number(held.output.stdout))).toBe(false);
  });

  it('[H-05] that ends by itself is known, with what it has said', async () => {
    const held = new HeldProgram(write('echo "port is taken" >&2; exit 3'), ['funnel']);
    await held.ended;
    expect(held.output).toMatchObject({ code: 3, stderr: 'port is taken\n', isLate: false });
    await held.end();
  });
});

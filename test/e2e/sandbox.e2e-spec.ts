import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentsService } from '../../src/core/agents/agents.service.js';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { loadSettings } from '../../src/settings.js';
import { LocalSessionResources } from '../../src/core/sessions/local-session-resources.service.js';
import type { SessionStore } from '../../src/core/store/index.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { SkillsService } from '../../src/core/skills/skills.service.js';
import { anAgent } from '../../src/testing/factories.js';
import { SANDBOX_CONTRACT, SandboxBench } from '../../src/testing/sandbox.contract.js';
import { BubblewrapEngine } from '../../src/tools/sandbox/bubblewrap-engine.js';
import { DockerEngine, OWNER_LABEL } from '../../src/tools/sandbox/docker-engine.js';
import { FilesListTool, FilesReadTool, FilesWriteTool } from '../../src/tools/sandbox/file-tools.js';
import type { SandboxEngine } from '../../src/tools/sandbox/sandbox-engine.js';
import { SandboxService } from '../../src/tools/sandbox/sandbox.service.js';
import { ShellRunTool } from '../../src/tools/sandbox/shell-run.tool.js';
import { WorkspaceFiles, type FileCall } from '../../src/tools/sandbox/workspace-files.js';
import { EMPTY_WORKSPACE } from '../../src/tools/sandbox/workspaces.js';
import { DockerDaemon } from '../support/docker-daemon.js';

type Tests = Readonly<Record<string, (tools: SandboxTools) => Promise<void>>>;

/** The tools of the sandbox on one engine, as two sessions would use them. */
class SandboxTools {
  readonly folder = mkdtempSync(join(tmpdir(), 'workspaces-'));
  /** The session resources of a store without sessions. */
  readonly resources = new LocalSessionResources(
    { findSession: async () => undefined } as unknown as SessionStore,
    new SilentLogs(),
  );
  private readonly files: WorkspaceFiles;
  private readonly shell: ShellRunTool;
  readonly read: FilesReadTool;
  readonly write: FilesWriteTool;
  readonly list: FilesListTool;

  constructor(engine: string, settings: Readonly<Record<string, unknown>> = {}) {
    const config = new ConfigStoreService(
      loadSettings(
        { NODE_ENV: 'production' },
        {
          'tools.sandbox.engine': engine,
          'tools.sandbox.image': DockerDaemon.image,
          'tools.sandbox.workspaces': join(this.folder, 'workspaces'),
          'tools.sandbox.quota_mb': 2,
          ...settings,
        },
        '/nonexistent',
      ),
      new SilentLogs(),
    );
    const sandbox = new SandboxService(
      config,
      new SystemClock(),
      this.resources,
      new AgentsService(config),
      new SilentLogs(),
    );
    this.files = new WorkspaceFiles(sandbox);
    this.shell = new ShellRunTool(sandbox, new SkillsService(config, new SilentLogs()));
    this.read = new FilesReadTool(this.files);
    this.write = new FilesWriteTool(this.files);
    this.list = new FilesListTool(this.files);
  }

  run(command: string, session = 'alice', timeoutMs?: number, skills: readonly string[] = []) {
    const call = { ...callOf(session), agent: anAgent({ skills }) };
    return this.shell.execute({ command, ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }) }, call);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function callOf(session = 'alice'): FileCall {
  return { session: { id: `s_${session}` } as FileCall['session'], signal: new AbortController().signal };
}

const toolTests: Tests = {
  '[R-26] shell.run has the skills of its agent at /skills': async (tools) => {
    const skills = join(tools.folder, 'skills');
    mkdirSync(join(skills, 'notes'), { recursive: true });
    writeFileSync(join(skills, 'notes', 'SKILL.md'), '---\nname: notes\ndescription: Takes notes.\n---\n');
    expect(await tools.run('ls /skills /skills/notes', 'alice', undefined, [skills])).toEqual({
      exit_code: 0,
      output: '/skills:\nnotes\n\n/skills/notes:\nSKILL.md\n',
    });
  },

  '[B-08] shell.run returns output and exit code': async (tools) => {
    // The order between the two streams is not defined.
    const { exit_code, output } = await tools.run('echo hi; echo oh >&2; exit 3');
    expect([exit_code, output.trim().split('\n').sort()]).toEqual([3, ['hi', 'oh']]);
  },

  '[B-08] shell.run returns the end of a long output and says how much was cut': async (tools) => {
    const { output } = await tools.run('yes 1234567 | head -n 20000; echo end');
    expect(output.split('\n', 1)[0]).toBe('[the first 94468 bytes of 160004 were cut]');
    expect(output.length).toBeLessThan(66_000);
    expect(output).toMatch(/1234567\nend\n$/);
  },

  '[B-08] shell.run stops a command that takes too long': async (tools) => {
    const { exit_code: exitCode, stopped, output } = await tools.run('echo begin; sleep 60', 'alice', 4_000);
    expect([exitCode, stopped, output]).toEqual([null, 'it did not end within 4000 ms', 'begin\n']);
  },

  '[B-09] each session has a workspace of its own': async (tools) => {
    await tools.write.execute({ path: 'notes/a.md', content: 'mine' }, callOf('alice'));
    expect(await tools.run('cat notes/a.md', 'alice')).toEqual({ exit_code: 0, output: 'mine' });
    expect(await tools.list.execute({}, callOf('bob'))).toEqual({ entries: [], more: false });
    await expect(tools.read.execute({ path: 'notes/a.md' }, callOf('bob'))).rejects.toThrow('no such file');
    await expect(tools.read.execute({ path: '../s_alice/notes/a.md' }, callOf('bob'))).rejects.toThrow(
      'must stay in the workspace',
    );
  },

  '[B-14] a workspace can be emptied whatever permissions commands have removed': async (tools) => {
    await tools.run('mkdir -p a/b; touch a/b/c .hidden ..odd; chmod 0 a/b a .hidden');
    expect(await tools.run(`${EMPTY_WORKSPACE}; ls -A`)).toEqual({ exit_code: 0, output: '' });
  },

  '[B-14] a workspace is deleted with its session, but not while a command runs in it': async (tools) => {
    const running = tools.run('touch a; sleep 2; ls');
    await expect.poll(() => existsSync(join(tools.folder, 'workspaces/s_alice/a'))).toBe(true);
    await tools.resources.sweep();
    expect(await running).toEqual({ exit_code: 0, output: 'a\n' });
    await tools.resources.sweep();
    expect(existsSync(join(tools.folder, 'workspaces/s_alice'))).toBe(false);
  },

  '[B-10] file tools write, list and read, in portions': async (tools) => {
    const content = 'é'.repeat(40_000);
    expect(await tools.write.execute({ path: 'a b/-n', content }, callOf())).toEqual({ size_bytes: 80_000 });
    const { entries } = await tools.list.execute({ path: 'a b' }, callOf());
    expect(entries).toEqual([
      { name: '-n', type: 'file', size_bytes: 80_000, changed_at: expect.any(Number) as number },
    ]);
    const first = await tools.read.execute({ path: '/workspace/a b/-n' }, callOf());
    expect(first).toMatchObject({ size_bytes: 80_000, next_offset: 65_536 });
    const second = await tools.read.execute({ path: 'a b/-n', offset: first.next_offset! }, callOf());
    expect(first.content + second.content).toBe(content);
    expect(second).not.toHaveProperty('next_offset');
  },

  '[B-10] a file that cannot be written leaves nothing': async (tools) => {
    await tools.run('mkdir folder; echo x > file');
    await expect(tools.write.execute({ path: 'folder', content: 'x' }, callOf())).rejects.toThrow('it is a folder');
    await expect(tools.write.execute({ path: 'file/below', content: 'x' }, callOf())).rejects.toThrow();
    await expect(tools.write.execute({ path: 'x'.repeat(255), content: 'x' }, callOf())).rejects.toThrow();
    expect(await tools.run('find .')).toMatchObject({
      output: expect.stringMatching(/^(\.|\.\/folder|\.\/file|\n)+$/) as string,
    });
  },

  '[B-11] no path and no link leads file tools out of the workspace': async (tools) => {
    const secret = join(tools.folder, 'secret');
    writeFileSync(secret, 'do not tell');
    await tools.run(
      `ln -s ${secret} link; ln -s ${tools.folder} folder; ln -s / root; mkfifo pipe 2>/dev/null || exit 0`,
    );
    for (const path of ['link', 'folder/secret', `root${secret}`, '../../secret', secret, 'pipe']) {
      await expect(tools.read.execute({ path }, callOf())).rejects.toThrow(/no such file|must stay in the workspace/);
    }
    await expect(tools.write.execute({ path: 'folder/new', content: 'x' }, callOf())).rejects.toThrow();
    await expect(tools.list.execute({ path: 'folder' }, callOf())).rejects.toThrow();
    expect(await tools.read.execute({ path: 'x' }, callOf()).catch(String)).not.toContain('do not tell');
  },

  '[B-12] a workspace over its quota takes no more, and can be emptied': async (tools) => {
    await tools.run('for i in 1 2 3; do dd if=/dev/zero of=file$i bs=65536 count=20 2>/dev/null; done');
    await expect(tools.write.execute({ path: 'more', content: 'x' }, callOf())).rejects.toThrow(
      'the workspace is full: it holds 4 of 2 MB',
    );
    expect((await tools.run('echo x > more; cat more')).output).not.toContain('x\n');
    expect(await tools.run('rm -f file* more')).toMatchObject({ exit_code: 0 });
    expect(await tools.write.execute({ path: 'more', content: 'x' }, callOf())).toEqual({ size_bytes: 1 });
  },

  '[B-12] a command that fills its workspace is stopped': async (tools) => {
    const { stopped } = await tools.run(
      'i=0; while :; do dd if=/dev/zero of=f$i bs=65536 count=4 2>/dev/null; i=$((i+1)); [ $i -gt 400 ] && sleep 30; done',
    );
    expect(stopped).toMatch(/the workspace is full/);
  },
};

function describeEngine(name: string, engine: SandboxEngine): void {
  describe(`a sandbox of ${name}`, () => {
    let bench: SandboxBench;
    beforeEach(() => void (bench = new SandboxBench(engine)));
    afterEach(() => bench.dispose());
    for (const [title, test] of Object.entries(SANDBOX_CONTRACT)) it(title, () => test(bench));
  });

  describe(`the tools in a sandbox of ${name}`, () => {
    let tools: SandboxTools;
    beforeEach(() => void (tools = new SandboxTools(name)));
    afterEach(() => tools.dispose());
    for (const [title, test] of Object.entries(toolTests)) it(title, () => test(tools));
  });
}

/** Reports how many tests are left out because an engine is not installed. */
function describeMissing(name: string): void {
  const count = Object.keys(SANDBOX_CONTRACT).length + Object.keys(toolTests).length;
  it(`${count} tests of the sandbox of ${name} did not run: it is not on this machine`, () => {
    // oxlint-disable-next-line no-console -- the reader of the output should know what was not tested
    console.log(`${count} tests of the sandbox of ${name} did not run: it is not on this machine`);
  });
}

const daemon = await DockerDaemon.find();
afterAll(() => daemon?.stop());
const bubblewrap = new BubblewrapEngine();
const hasBubblewrap = await bubblewrap.check().then(
  () => true,
  () => false,
);

if (daemon) {
  const engine = new DockerEngine({ owner: 'test', image: () => DockerDaemon.image });
  describeEngine('docker', engine);

  describe('the docker engine', () => {
    it('[B-07] removes the containers that a crash left, of its own owner only', async () => {
      const leave = (owner: string) =>
        daemon.docker.createContainer({
          Image: DockerDaemon.image,
          Cmd: ['sleep', '60'],
          Labels: { [OWNER_LABEL]: owner },
          HostConfig: { NetworkMode: 'none' },
        });
      const [mine, other] = await Promise.all([leave('me'), leave('bob')]);
      await mine.start();
      await new DockerEngine({ owner: 'me', image: () => DockerDaemon.image }).check();
      await expect(mine.inspect()).rejects.toMatchObject({ statusCode: 404 });
      await expect(other.inspect()).resolves.toMatchObject({ Id: other.id });
      await other.remove();
    });

    it('says which image is missing and how to get it', async () => {
      const bench = new SandboxBench(new DockerEngine({ owner: 'test', image: () => 'no-such-image:1' }));
      await expect(bench.run('true')).rejects.toThrow('docker pull no-such-image:1');
      bench.dispose();
    });

    it('leaves no container behind', async () => {
      expect(await daemon.docker.listContainers({ all: true, filters: { label: [`${OWNER_LABEL}=test`] } })).toEqual(
        [],
      );
    });
  });
} else {
  describeMissing('docker');
}

if (hasBubblewrap) {
  describeEngine('bubblewrap', bubblewrap);

  describe('the bubblewrap engine', () => {
    it('[B-07] ends the processes that a crash left in its own workspaces, and no others', async () => {
      const root = mkdtempSync(join(tmpdir(), 'left-'));
      const leave = (folder: string) => {
        mkdirSync(folder, { recursive: true });
        const args = ['--ro-bind', '/', '/', '--dev', '/dev', '--bind', folder, folder, 'sleep', '61'];
        return spawn('bwrap', args, { stdio: 'ignore' });
      };
      const [mine, other] = [leave(join(root, 'workspaces/s_a')), leave(join(root, 'other/s_a'))];
      const ended = once(mine, 'exit');
      await new BubblewrapEngine(join(root, 'workspaces')).check();
      expect(await ended).toEqual([null, 'SIGKILL']);
      expect(other.exitCode).toBe(null);
      other.kill('SIGKILL');
      rmSync(root, { recursive: true });
    });
  });
} else {
  describeMissing('bubblewrap');
}

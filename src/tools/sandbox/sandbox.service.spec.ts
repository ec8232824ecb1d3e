import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentsService } from '../../core/agents/agents.service.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { loadSettings } from '../../settings.js';
import { LocalSessionResources } from '../../core/sessions/local-session-resources.service.js';
import type { Session, SessionStore } from '../../core/store/index.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/index.js';
import { BubblewrapEngine } from './bubblewrap-engine.js';
import { DockerEngine } from './docker-engine.js';
import { SandboxUnavailableError } from './sandbox-engine.js';
import { SandboxService } from './sandbox.service.js';
import { toWorkspacePath } from './workspace-files.js';
import { Workspaces } from './workspaces.js';

const request = { argv: ['/bin/sh', '-c', 'touch ran'], onOutput: () => {} };
const signal = new AbortController().signal;

/** The sessions in the store. */
const alive = new Set<string>();
const sessions = {
  findSession: async (id: string) => (alive.has(id) ? ({ id } as Session) : undefined),
} as SessionStore;
const noSandbox = () => Promise.reject(new Error('the sandbox must not be used'));

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sandbox-service-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function makeService(
  engine: string,
  resources = new LocalSessionResources(sessions, new SilentLogs()),
  clock = new ManualClock(),
): SandboxService {
  const settings = {
    'tools.sandbox.engine': engine,
    'tools.sandbox.workspaces': join(folder, 'workspaces'),
    agents: { ops: { workspace: 'agent' } },
  };
  const logs = new SilentLogs();
  const config = new ConfigStoreService(loadSettings({ NODE_ENV: 'production' }, settings, '/nonexistent'), logs);
  return new SandboxService(config, clock, resources, new AgentsService(config), logs);
}

/** Runs `action` with no engine available. */
async function withoutEngines(action: () => Promise<void>): Promise<void> {
  const { PATH, DOCKER_HOST } = process.env;
  process.env['PATH'] = folder;
  process.env['DOCKER_HOST'] = `unix://${folder}/no.sock`;
  try {
    await action();
  } finally {
    process.env['PATH'] = PATH;
    if (DOCKER_HOST === undefined) delete process.env['DOCKER_HOST'];
    else process.env['DOCKER_HOST'] = DOCKER_HOST;
  }
}

const alice = { id: 's_alice', tenant: 'default', agent: 'main' };

it('[Z-22] all sessions of an agent with `workspace: agent` share one folder for each tenant, which ends with none of them', async () => {
  const resources = new LocalSessionResources(sessions, new SilentLogs());
  const service = makeService('none', resources);
  for (const [id, tenant, agent] of [
    ['s_1', 'default', 'ops'],
    ['s_2', 'default', 'ops'],
    ['s_3', 'acme', 'ops'],
    ['s_4', 'default', 'main'],
  ] as const)
    await service.findQuotaFault({ id, tenant, agent });
  const list = () => readdirSync(join(folder, 'workspaces')).sort();
  expect(list()).toEqual([expect.stringMatching(/^a_/), expect.stringMatching(/^a_/), 's_4']);
  const [shared = ''] = list();
  await resources.end(shared);
  await resources.end('s_4');
  expect(list()).toEqual([expect.stringMatching(/^a_/), expect.stringMatching(/^a_/)]);
});

describe('without a sandbox engine', () => {
  it('[B-13] a command is refused with what to install, and never run unsandboxed', async () => {
    await withoutEngines(async () => {
      const running = makeService('auto').run(alice, request, signal);
      await expect(running).rejects.toThrow(SandboxUnavailableError);
      await expect(running).rejects.toThrow(
        /^no sandbox engine: no Docker daemon answers \(.*\); bwrap cannot be started \(.*\)\. To run commands install Docker, or bubblewrap/,
      );
    });
    expect(existsSync(join(folder, 'workspaces/s_alice/ran'))).toBe(false);
  });

  it('is looked for again after a minute, or when the setting changes', async () => {
    const clock = new ManualClock();
    await withoutEngines(async () => {
      const service = makeService('auto', undefined, clock);
      expect(await service.isReady()).toBe(false);
      writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      expect(await service.isReady()).toBe(false);
      clock.advance(60_000);
      expect(await service.isReady()).toBe(true);
      expect(await makeService('none').isReady()).toBe(false);
    });
  });

  it('[B-13] a configured engine is not replaced by another', async () => {
    await withoutEngines(async () => {
      await expect(makeService('docker').run(alice, request, signal)).rejects.toThrow(
        /^no sandbox engine: no Docker daemon answers/,
      );
      await expect(makeService('bubblewrap').run(alice, request, signal)).rejects.toThrow(
        /^no sandbox engine: bwrap cannot be started/,
      );
    });
  });

  it('[B-13] `none` refuses commands whatever is installed', async () => {
    await expect(makeService('none').run(alice, request, signal)).rejects.toThrow('tools.sandbox.engine is none');
  });

  it('each engine reports that it is missing', async () => {
    await withoutEngines(async () => {
      await expect(new BubblewrapEngine().check()).rejects.toThrow(SandboxUnavailableError);
      await expect(new DockerEngine({ owner: 'x', image: () => 'x' }).check()).rejects.toThrow(SandboxUnavailableError);
    });
  });

  it('[B-13] an engine that has disappeared reports it too', async () => {
    const command = {
      argv: ['/bin/true'],
      workspace: folder,
      limits: { memoryMb: 64, cpu: 1, pids: 8, timeoutMs: 1_000, fileBytes: 0 },
      onOutput: () => {},
    };
    await withoutEngines(async () => {
      await expect(new BubblewrapEngine().run(command, signal)).rejects.toThrow(SandboxUnavailableError);
      await expect(new DockerEngine({ owner: 'x', image: () => 'x' }).run(command, signal)).rejects.toThrow(
        SandboxUnavailableError,
      );
    });
  });

  it('a start is not delayed, even if an engine was used before', async () => {
    mkdirSync(join(folder, 'workspaces'));
    writeFileSync(join(folder, 'workspaces/.sandbox-was-used'), '');
    await withoutEngines(async () => expect(makeService('auto').removeLeftovers()).toBeUndefined());
  });
});

describe('workspaces', () => {
  it('[B-09] are closed to other users of the machine', async () => {
    const workspaces = new Workspaces(join(folder, 'workspaces'), noSandbox);
    await workspaces.open('s_alice');
    expect(statSync(workspaces.root).mode & 0o777).toBe(0o700);
  });

  it.each(['../x', '', 'a/b', '.', '..', 'x'.repeat(129)])(
    'are not created for a session id that is not a file name: %j',
    async (id) => {
      await expect(new Workspaces(folder, noSandbox).open(id)).rejects.toThrow('its id is not a valid folder name');
    },
  );

  it('are not created beyond their maximum, until one is deleted', async () => {
    const workspaces = new Workspaces(folder, noSandbox, () => 2);
    for (const id of ['s_a', 's_b', 's_a']) await workspaces.open(id);
    await expect(workspaces.open('s_c')).rejects.toThrow(
      'there are 2 workspaces already (tools.sandbox.max_workspaces)',
    );
    await workspaces.durable.remove('s_b');
    expect(await workspaces.open('s_c')).toBe(join(folder, 's_c'));
  });

  it('are measured without following links', async () => {
    const workspaces = new Workspaces(folder, noSandbox);
    writeFileSync(join(folder, 'outside'), Buffer.alloc(1_000_000));
    const workspace = await workspaces.open('s_alice');
    mkdirSync(join(workspace, 'deep'));
    writeFileSync(join(workspace, 'deep/file'), Buffer.alloc(100_000));
    symlinkSync(folder, join(workspace, 'loop'));
    symlinkSync(join(folder, 'outside'), join(workspace, 'link'));
    const { bytes } = await workspaces.measure(workspace);
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(200_000);
  });
});

describe('the workspace of a session', () => {
  const root = () => join(folder, 'workspaces');
  const makeKept = (empty = noSandbox) => {
    const resources = new LocalSessionResources(sessions, new SilentLogs());
    return { resources, workspaces: resources.register(new Workspaces(root(), empty)) };
  };
  const addFile = async (workspace: string) => {
    mkdirSync(join(workspace, 'deep'));
    writeFileSync(join(workspace, 'deep/file'), 'text');
  };
  beforeEach(() => alive.clear());

  it('[B-14] is deleted with its session, and nothing else is', async () => {
    const { resources, workspaces } = makeKept();
    alive.add('s_alice').add('s_bob');
    for (const id of alive) await workspaces.use(id, addFile);
    mkdirSync(join(root(), 'backup'));
    writeFileSync(join(root(), '.sandbox-was-used'), '');
    symlinkSync(folder, join(root(), 's_link'));
    alive.delete('s_alice');
    await resources.sweep();
    expect(readdirSync(root()).sort()).toEqual(['.sandbox-was-used', 'backup', 's_bob', 's_link']);
    expect(existsSync(join(root(), 's_bob/deep/file'))).toBe(true);
  });

  it('[B-14] is deleted after a restart too, even if its removal was interrupted', async () => {
    alive.add('s_alice');
    await makeKept().workspaces.use('s_alice', addFile);
    alive.clear();
    rmSync(join(root(), 's_alice/deep/file'));
    await makeKept().resources.sweep();
    expect(readdirSync(root())).toEqual([]);
  });

  it('[B-14] stays while a command runs in it', async () => {
    const { resources, workspaces } = makeKept();
    await workspaces.use('s_alice', async (workspace) => {
      await resources.sweep();
      expect(existsSync(workspace)).toBe(true);
    });
    await resources.sweep();
    expect(readdirSync(root())).toEqual([]);
  });

  it('[B-14] stays when the gateway stops', async () => {
    const { resources, workspaces } = makeKept();
    await workspaces.use('s_alice', addFile);
    await resources.closeAll();
    expect(existsSync(join(root(), 's_alice/deep/file'))).toBe(true);
  });

  it('[B-14] is emptied in the sandbox if the gateway lacks the permission', async () => {
    const story: string[] = [];
    class ClosedWorkspaces extends Workspaces {
      protected override async deleteTree(): Promise<void> {
        story.push('delete');
        if (!story.includes('empty')) throw Object.assign(new Error('closed'), { code: 'EACCES' });
      }
    }
    await new ClosedWorkspaces(root(), async () => void story.push('empty')).durable.remove('s_alice');
    expect(story).toEqual(['delete', 'empty', 'delete']);
  });
});

describe('a path of the workspace', () => {
  it.each([
    ['a/b', './a/b'],
    ['/workspace/a', './a'],
    ['.', './.'],
    ['a/../-rf', './-rf'],
    ['a//./b', './a/b'],
  ])('%s', (path, expected) => expect(toWorkspacePath(path)).toBe(expected));

  it.each(['..', '../x', 'a/../../x', '/etc/passwd', '/workspace/../etc', 'a\0b'])('may not be %j', (path) => {
    expect(() => toWorkspacePath(path)).toThrow('must stay in the workspace');
  });
});

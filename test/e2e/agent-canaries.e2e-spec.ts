import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BubblewrapEngine } from '../../src/tools/sandbox/bubblewrap-engine.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { ModelServer, textOf } from '../support/model-server.js';
import type { FrameClient } from '../support/frame-client.js';

/** Two agents of one tenant, and one of another. Ann writes to all of them. */
const AGENTS = ['main', 'ops', 'acme'] as const;
type Agent = (typeof AGENTS)[number];

const hasBubblewrap = await new BubblewrapEngine().check().then(
  () => true,
  () => false,
);
/** Texts that one agent knows and no other may get to see. */
const KINDS = ['prompt-file', 'skill', 'memory', ...(hasBubblewrap ? ['file'] : [])];
const canary = (kind: string, agent: Agent) => `${kind}-canary-of-${agent}`;

let folder: string;
let gateway: GatewayApp;
let servers: Record<Agent, ModelServer>;
let clients: Record<Agent, FrameClient>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'canaries-'));
  servers = { main: await ModelServer.start(), ops: await ModelServer.start(), acme: await ModelServer.start() };
  const own = (agent: Agent) => ({
    model: `${agent}/m`,
    permissions: ['memory', 'files'],
    prompt_files: [write(canary('prompt-file', agent), `${agent}.md`)],
    skills: [writeSkill(agent)],
  });
  gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      providers: Object.fromEntries(AGENTS.map((id) => [id, servers[id].provider('openai-completions')])),
      agents: {
        main: own('main'),
        ops: { ...own('ops'), workspace: 'agent' },
        acme: { ...own('acme'), tenant: 'acme', default: true, workspace: 'agent' },
      },
      bindings: [{ agent: 'ops', group_id: 'ops' }],
      'tools.sandbox.engine': 'bubblewrap',
      'tools.sandbox.workspaces': join(folder, 'workspaces'),
    },
  });
  const driver = await gateway.connect('d', TOKENS.driver);
  clients = { main: driver, ops: driver, acme: await gateway.connect('s', TOKENS.stranger) };
});
afterEach(async () => {
  await gateway.close();
  for (const server of Object.values(servers)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function write(content: string, ...names: readonly string[]): string {
  const path = join(folder, ...names);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Writes a skill that has the same name for each agent. */
function writeSkill(agent: Agent): string {
  write(
    `---\nname: notes\ndescription: Notes.\n---\n${canary('skill', agent)}`,
    `skills-${agent}`,
    'notes',
    'SKILL.md',
  );
  return join(folder, `skills-${agent}`);
}

/** Has an agent make calls in a session of ann; returns the ID of the session. */
async function call(agent: Agent, calls: readonly (readonly [tool: string, parameters: object])[]): Promise<string> {
  const toolCalls = calls.map(([name, parameters], i) => ({
    name,
    arguments: JSON.stringify(parameters),
    id: `c${servers[agent].asked.length}_${i}`,
  }));
  servers[agent].answer({ toolCalls }, { content: 'Done.' });
  const client = clients[agent];
  const id = client.send('message_in', {
    channel: 'test',
    sender: 'ann',
    content: `@${agent === 'main' ? 'openclaw' : agent} please`,
    group_id: agent === 'ops' ? 'ops' : 'others',
  });
  const ack = await client.answerTo(id);
  expect(ack.payload).toMatchObject({ agent });
  await client.next(({ type, payload }) => type === 'stream_end' && payload['id'] === id);
  return ack.session_id ?? '';
}

describe('what an agent knows', () => {
  it('[Z-11] reaches no other agent: prompt files, skills, memories and files, with a canary in each', async () => {
    const sessions: Partial<Record<Agent, string>> = {};
    for (const agent of AGENTS)
      sessions[agent] = await call(agent, [
        ['memory_save', { text: canary('memory', agent) }],
        ...(hasBubblewrap ? [['files_write', { path: 'note.txt', content: canary('file', agent) }] as const] : []),
      ]);
    for (const agent of AGENTS)
      await call(agent, [
        ['memory_search', { query: '' }],
        ['memory_search', { query: 'canary' }],
        ['skills_read', { name: 'notes' }],
        ...AGENTS.flatMap((other) => [
          ['skills_read', { name: 'notes', file: `../../skills-${other}/notes/SKILL.md` }] as const,
          ['files_read', { path: `../${sessions[other]}/note.txt` }] as const,
        ]),
        ['files_list', { path: '.' }],
        ['files_read', { path: 'note.txt' }],
      ]);
    for (const agent of AGENTS) {
      const sent = servers[agent].asked
        .flatMap(({ messages }) => messages.map(({ content }) => textOf(content)))
        .join('\n');
      for (const kind of KINDS) expect(AGENTS.filter((other) => sent.includes(canary(kind, other)))).toEqual([agent]);
    }
  });

  it('[Z-11] is in no history of another tenant, and in none of a session of another agent', async () => {
    const sessions = { main: await call('main', []), ops: await call('ops', []), acme: await call('acme', []) };
    expect(new Set(Object.values(sessions)).size).toBe(3);
    const read = async (reader: Agent, of: Agent) => {
      const id = clients[reader].send('history', { limit: 5 }, { session_id: sessions[of] });
      return clients[reader].answerTo(id);
    };
    expect(await read('acme', 'acme')).toMatchObject({ type: 'history', payload: { messages: [{ agent: 'acme' }] } });
    expect(await read('acme', 'main')).toMatchObject({ type: 'error', payload: { code: 'NOT_FOUND' } });
    expect(await read('main', 'acme')).toMatchObject({ type: 'error', payload: { code: 'NOT_FOUND' } });
    expect(await read('ops', 'ops')).toMatchObject({ type: 'history', payload: { messages: [{ agent: 'ops' }] } });
  });
});

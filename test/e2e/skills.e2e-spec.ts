import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';
import { ModelServer, textOf } from '../support/model-server.js';
import { RecordingLogs } from '../support/recording-logs.js';

let server: ModelServer;
let gateway: GatewayApp;
let client: FrameClient;
let logs: RecordingLogs;
let folder: string;

beforeEach(async () => {
  server = await ModelServer.start();
  folder = mkdtempSync(join(tmpdir(), 'skills-'));
  logs = new RecordingLogs();
});
afterEach(async () => {
  await gateway.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const path = (...names: readonly string[]) => join(folder, ...names);
const text = (name: string, description = `About ${name}.`, body = 'Do it well.\n') =>
  `---\nname: ${name}\ndescription: ${description}\n---\n${body}`;

/** Writes a skill; `content` is its SKILL.md. */
function write(name: string, content = text(name), root = folder): void {
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, name, 'SKILL.md'), content);
}

async function start(agent: Readonly<Record<string, unknown>> = { skills: [folder] }): Promise<void> {
  gateway = await GatewayApp.start({
    logs,
    settings: {
      'agent.model': 'local/m',
      agents: { main: agent },
      providers: { local: server.provider('openai-completions') },
    },
  });
  client = await gateway.connect();
}

let messages = 0;
/** Sends a message and returns the system prompt of its first question. */
async function ask(): Promise<string> {
  const n = server.asked.length;
  client.send('message_in', { channel: 'test', sender: 'ann', content: 'hello' }, { id: `s${++messages}` });
  await client.next('stream_end');
  return textOf(server.asked[n]?.messages.find(({ role }) => role === 'system')?.content ?? '');
}

/** Has the model read a file of a skill; returns the result that it gets. */
async function read(name: string, file?: string): Promise<string> {
  const parameters = JSON.stringify({ name, ...(file !== undefined && { file }) });
  server.answer({ toolCalls: [{ name: 'skills_read', arguments: parameters, id: 'c1' }] }, { content: 'Read.' });
  await ask();
  return textOf(server.asked.at(-1)?.messages.findLast(({ role }) => role === 'tool')?.content ?? '');
}

const warnings = () => logs.entries.filter(({ message }) => message === 'a skill is left out');

describe('skills', () => {
  it('[R-25] are listed in the prompt, and read with skills.read', async () => {
    write('pdf-forms', text('pdf-forms', 'Fills in\n  forms.'));
    writeFileSync(path('pdf-forms', 'fields.md'), 'All fields.');
    await start();
    server.answer({ content: 'Hi.' });
    expect(await ask()).toMatch(/read it with skills_read before you begin\.[^]*\n- pdf-forms: Fills in forms\.\n/);
    expect(await read('pdf-forms')).toBe(text('pdf-forms', 'Fills in\n  forms.'));
    expect(await read('pdf-forms', 'fields.md')).toBe('All fields.');
    expect(server.asked[0]?.tools.map((tool) => tool.function.name)).toContain('skills_read');
    const headers = { authorization: `Bearer ${gateway.localToken}` };
    const agent = (await (await fetch(`${gateway.url}/admin/v1/agents/main`, { headers })).json()) as object;
    expect(agent).toMatchObject({
      skills: [{ name: 'pdf-forms', description: 'Fills in forms.', allowed_tools: [] }],
      tools: expect.arrayContaining(['skills.read']) as string[],
    });
  });

  it('[R-25] are unknown to an agent without any, which may not read them', async () => {
    write('pdf-forms');
    await start({});
    server.answer({ content: 'Hi.' });
    expect(await ask()).not.toContain('pdf-forms');
    expect(server.asked[0]?.tools.map((tool) => tool.function.name)).not.toContain('skills_read');
  });

  it('[R-25] that are broken are left out with one warning each, and do not affect a good one', async () => {
    for (let i = 0; i < 15; i++) write(`broken-${i}`, `---\nname: other-${i}\ndescription: x\n---\n`);
    write('no-front', '# Hello');
    write('huge', text('huge', 'x', 'y'.repeat(70_000)));
    write('binary', '\0\0');
    mkdirSync(path('empty'));
    mkdirSync(path('loop'));
    symlinkSync('SKILL.md', path('loop', 'SKILL.md'));
    write('good');
    await start();
    server.mock.on({}, { content: 'Hi.' });
    for (let i = 0; i < 3; i++) expect((await ask()).match(/^- .*$/gm)).toEqual(['- good: About good.']);
    expect(warnings()).toHaveLength(20);
  });

  it('[R-25] that change count from the next turn on, also as the links of a Kubernetes volume', async () => {
    const publish = (version: string, description: string) => {
      write('notes', text('notes', description), path(version));
      symlinkSync(version, path('..tmp'));
      renameSync(path('..tmp'), path('..data'));
    };
    publish('..2026_1', 'Old.');
    symlinkSync('..data/notes', path('notes'));
    await start();
    server.mock.on({}, { content: 'Hi.' });
    expect(await ask()).toContain('- notes: Old.');
    publish('..2026_2', 'New.');
    expect(await ask()).toContain('- notes: New.');
    rmSync(path('notes'));
    expect(await ask()).not.toContain('- notes:');
  });

  it('[R-25] may be named one by one; of two with one name the first counts', async () => {
    write('notes', text('notes', 'Mine.'), path('mine'));
    write('notes', text('notes', 'Yours.'), path('yours'));
    await start({ skills: [path('mine', 'notes'), path('yours'), path('missing')] });
    server.mock.on({}, { content: 'Hi.' });
    const prompt = await ask();
    expect(prompt).toContain('- notes: Mine.');
    expect(prompt).not.toContain('Yours.');
    expect(warnings()).toHaveLength(2);
  });

  it('[R-25] that are missing are named at the start, before a turn needs them', async () => {
    await start({ skills: [path('missing')] });
    expect(warnings()).toMatchObject([{ fields: { path: path('missing') } }]);
  });

  it('[R-25] are listed within 32,000 characters; the log says what is left out', async () => {
    for (let i = 0; i < 1_000; i++)
      write(`skill-${String(i).padStart(4, '0')}`, text(`skill-${String(i).padStart(4, '0')}`, 'x'.repeat(60)));
    await start();
    server.answer({ content: 'Hi.' }, { content: 'Hi.' });
    const prompt = await ask();
    const listed = prompt.match(/^- skill-\d+: .*$/gm) ?? [];
    expect(listed.join('\n').length).toBeLessThanOrEqual(32_000);
    expect(listed.length).toBeGreaterThan(300);
    await ask();
    const notes = logs.entries.filter(({ message }) => message.startsWith('the list of skills is too long'));
    expect(notes).toHaveLength(1);
    expect((notes[0]?.fields as { skills: readonly string[] }).skills).toHaveLength(1_000 - listed.length);
    expect(await read('skill-0999')).toContain('skill-0999');
  });

  it('[R-26] lead nowhere out of their folders', async () => {
    write('notes');
    write('other');
    writeFileSync(path('secret.txt'), 'canary');
    symlinkSync('../secret.txt', path('notes', 'out.md'));
    symlinkSync('..', path('notes', 'up'));
    symlinkSync('SKILL.md', path('notes', 'within.md'));
    mkdirSync(path('notes', 'folder'));
    writeFileSync(path('notes', 'large.md'), 'x'.repeat(65_537));
    writeFileSync(path('notes', 'binary.md'), Buffer.from([0xff, 0x00]));
    await start();
    for (const file of [
      ...['../../etc/passwd', '/etc/passwd', '../secret.txt', 'out.md', 'up/secret.txt', '../other/SKILL.md', '.'],
      ...['folder', 'large.md', 'binary.md', 'missing.md', 'a\0b'],
    ]) {
      const result = await read('notes', file);
      expect(result).toMatch(/TOOL_(FAILED|INVALID_PARAMETERS)/);
      expect(result).not.toMatch(/canary|root:|About other/);
    }
    expect(await read('notes', 'within.md')).toContain('About notes.');
    expect(await read('../other')).toContain('there is no skill');
  });

  it('[R-25] say that scripts cannot run without a sandbox, or without an engine for it', async () => {
    write('notes');
    await start();
    server.mock.on({}, { content: 'Hi.' });
    expect(await ask()).toContain('Their scripts cannot run');
    await gateway.close();
    const { PATH, DOCKER_HOST } = process.env;
    try {
      process.env['PATH'] = folder;
      process.env['DOCKER_HOST'] = `unix://${folder}/no.sock`;
      await start({ skills: [folder], permissions: ['shell'] });
      expect(await ask()).toContain('Their scripts cannot run');
      await gateway.close();
      writeFileSync(path('bwrap'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      await start({ skills: [folder], permissions: ['shell'] });
      expect(await ask()).toContain('/skills/NAME in the sandbox');
    } finally {
      process.env['PATH'] = PATH;
      if (DOCKER_HOST === undefined) delete process.env['DOCKER_HOST'];
      else process.env['DOCKER_HOST'] = DOCKER_HOST;
    }
  });

  it('[R-25] are logged when they break, when they can be used, and when they break again', async () => {
    const broken = '# Hello';
    write('notes', broken);
    let from = logs.entries.length;
    await start({ skills: [folder, path('later')] });
    server.mock.on({}, { content: 'Hi.' });
    const lines = async () => {
      await ask();
      await ask();
      const own = logs.entries.slice(from).filter(({ message }) => message.startsWith('a skill'));
      from = logs.entries.length;
      return own.map(({ message, fields }) => `${message}: ${basename((fields as { path: string }).path)}`);
    };
    expect(await lines()).toEqual(['a skill is left out: notes', 'a skill is left out: later']);
    write('notes');
    mkdirSync(path('later'));
    writeFileSync(path('later', 'SKILL.md'), text('later'));
    expect((await lines()).toSorted()).toEqual([
      'a skill that was left out can be used: later',
      'a skill that was left out can be used: notes',
    ]);
    write('notes', broken);
    expect(await lines()).toEqual(['a skill is left out: notes']);
    rmSync(path('notes'), { recursive: true });
    expect(await lines()).toEqual([]);
    write('notes', broken);
    expect(await lines()).toEqual(['a skill is left out: notes']);
  });
});

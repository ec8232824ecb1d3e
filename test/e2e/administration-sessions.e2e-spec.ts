import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { AuditStore, FrameStore } from '../../src/core/store/index.js';
import { FakeTerminal } from '../../src/testing/index.js';
import { AdminApi } from '../support/admin-api.js';
import { eventually } from '../support/eventually.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let admin: AdminApi;
let stranger: AdminApi;
let driver: FrameClient;
let sent = 0;

beforeEach(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
  admin = new AdminApi(gateway);
  stranger = new AdminApi(gateway, TOKENS.stranger);
  driver = await gateway.connect('c', TOKENS.driver);
});
afterEach(() => gateway.close());

/** Sends a message and resolves with its session once it has ended. */
async function say(content: string, sender = 'alice', payload: object = {}) {
  const id = driver.send('message_in', { channel: 'test', sender, content, ...payload }, { id: `message-${++sent}` });
  const ack = await driver.answerTo(id);
  if (ack.payload['status'] !== 'observed')
    await driver.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);
  return { id, ref: String(ack.payload['message_ref']), sessionId: ack.session_id ?? '' };
}
const idsOf = (items: readonly Readonly<Record<string, unknown>>[] = []) => items.map((item) => item['id']);
const audit = async (action: string) =>
  (await gateway.app.get(AuditStore, { strict: false }).listAudit({ action, order: 'newest', limit: 10 })).map(
    ({ actor, target, after }) => ({ actor, target, after: JSON.parse(after) as unknown }),
  );
const linesOf = (text: unknown) =>
  String(text)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function command(...args: string[]) {
  const terminal = new FakeTerminal({ OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.operator });
  const code = await run(args, { ...terminal, fetch, stdout: terminal.stdout, stderr: terminal.stderr } as never);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

describe('the list of sessions', () => {
  it('[AD-11] is filtered, sorted and paged, and shows nothing of another tenant', async () => {
    const [ann, ben, room] = [
      await say('a', 'ann'),
      await say('b', 'ben'),
      await say('@openclaw hello', 'ann', { group_id: 'room-1' }),
    ];
    expect(idsOf((await admin.get('sessions')).body.items)).toEqual([room, ben, ann].map((s) => s.sessionId));
    await say('again', 'ann');
    const active = await admin.get('sessions?sort=last_active');
    expect(idsOf(active.body.items)).toEqual([ann, room, ben].map((s) => s.sessionId));
    expect(idsOf((await admin.get('sessions?mode=group')).body.items)).toEqual([room.sessionId]);
    expect(idsOf((await admin.get('sessions?q=ROOM-1')).body.items)).toEqual([room.sessionId]);
    expect(idsOf((await admin.get('sessions?participant=ann')).body.items)).toEqual([room.sessionId, ann.sessionId]);
    expect(idsOf((await admin.get('sessions?participant=ben&sort=last_active')).body.items)).toEqual([ben.sessionId]);
    expect((await admin.get('sessions?channel=other')).body).toEqual({ items: [] });
    expect((await admin.get(`sessions?active_since=${Date.now() + 60_000}`)).body).toEqual({ items: [] });
    expect((await stranger.get('sessions')).body).toEqual({ items: [] });
    for (const query of ['sort=name', 'mode=dm', 'active_since=yesterday', 'q=', 'limit=201'])
      expect([query, (await admin.get(`sessions?${query}`)).status]).toEqual([query, 400]);
    expect((await command('sessions', '--search', 'room-1')).out).toContain(room.sessionId);
  });

  it('[AD-11] says how many messages wait in each, and which one runs', async () => {
    const send = (content: string) =>
      driver.answerTo(
        driver.send('message_in', { channel: 'test', sender: 'alice', content }, { id: `open-${++sent}` }),
      );
    const { payload } = await send('/wait 60000');
    await send('second');
    await eventually(async () => {
      const { body } = await admin.get('sessions');
      expect(body.items).toMatchObject([{ key: ['alice'], waiting: 1, running_ref: payload['message_ref'] }]);
    });
  });

  it('[AD-11] lists each session once while others are made, also those made at the same time', async () => {
    const wanted = new Set<unknown>();
    for (let i = 0; i < 24; i++) wanted.add((await say('x', `s${i}`)).sessionId);
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { body } = await admin.get(`sessions?limit=5${cursor}`);
      seen.push(...idsOf(body.items));
      await say('x', `new-${seen.length}`);
      cursor = body.next === undefined ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    expect(seen.filter((id) => wanted.has(id))).toHaveLength(24);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('[AD-12] by the newest message keeps a session in its place while its pages are read', async () => {
    const made = [];
    for (let i = 0; i < 6; i++) made.push((await say('x', `s${i}`)).sessionId);
    const first = await admin.get('sessions?sort=last_active&limit=2');
    await say('moved', 's1');
    const rest = await admin.all(`sessions?sort=last_active&limit=2&cursor=${first.body.next}`).catch(() => []);
    const walked = [...idsOf(first.body.items)];
    for (let next = first.body.next; next !== undefined;) {
      const { body } = await admin.get(`sessions?sort=last_active&limit=2&cursor=${next}`);
      walked.push(...idsOf(body.items));
      next = body.next;
    }
    expect(rest).toBeDefined();
    expect(walked).toEqual(made.toReversed());
    expect(idsOf((await admin.get('sessions?sort=last_active&limit=1')).body.items)).toEqual([made[1]]);
  });
});

describe('a session', () => {
  it('[AD-13] shows its messages, its log and what the agent would read', async () => {
    const { sessionId } = await say('/blocks 2', 'ann');
    await say('second', 'ann');
    const messages = await admin.get(`sessions/${sessionId}/messages?limit=1`);
    expect(messages.body.items).toMatchObject([{ content: 'second', sender: 'ann', end: { reason: 'stop' } }]);
    const older = await admin.get(`sessions/${sessionId}/messages?limit=1&cursor=${messages.body.next}`);
    expect(older.body.items).toMatchObject([{ content: '/blocks 2', blocks: [{ block_type: 'text' }, {}] }]);
    expect(older.body.next).toBeUndefined();
    const frames = await admin.get(`sessions/${sessionId}/frames?limit=2`);
    expect(frames.body).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }], first_seq: 1 });
    expect((await admin.all(`sessions/${sessionId}/frames?limit=2`)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: Number(frames.body['head_seq']) }, (_, i) => i + 1),
    );
    expect((await admin.get(`sessions/${sessionId}/context`)).body.items).toHaveLength(2);
    expect((await admin.post(`sessions/${sessionId}/reset`)).status).toBe(204);
    expect((await admin.get(`sessions/${sessionId}/context`)).body.items).toEqual([]);
    expect((await admin.get(`sessions/${sessionId}/messages`)).body.items).toHaveLength(2);
    expect((await audit('session.update')).map(({ target }) => target)).toEqual([sessionId]);
    for (const path of ['', '/messages', '/frames', '/context', '/export'])
      expect([path, (await stranger.get(`sessions/${sessionId}${path}`)).status]).toEqual([path, 404]);
    expect((await command('sessions', 'messages', sessionId)).out).toContain('second');
  });

  it('[AD-14] takes a message of an operator, once for each ID', async () => {
    const { sessionId } = await say('hello', 'ann');
    const body = { content: 'from the office', id: 'note-1' };
    const accepted = await admin.post(`sessions/${sessionId}/messages`, body);
    expect(accepted.body).toMatchObject({ session_id: sessionId, status: 'queued', position: 0 });
    await driver.next(
      ({ type, payload }) => type === 'stream_end' && payload['message_ref'] === accepted.body['message_ref'],
    );
    expect((await admin.post(`sessions/${sessionId}/messages`, body)).body).toMatchObject({ status: 'duplicate' });
    const { items } = (await admin.get(`sessions/${sessionId}/messages`)).body;
    expect(items?.map((item) => [item['sender'], item['content']])).toEqual([
      ['ann', 'hello'],
      ['operator', 'from the office'],
    ]);
    expect((await stranger.post(`sessions/${sessionId}/messages`, body)).status).toBe(404);
    expect((await admin.post(`sessions/${sessionId}/messages`, { content: '' })).body).toMatchObject({
      faults: [{ pointer: '/content' }],
    });
  });

  it('[AD-15] is exported as lines of JSON, whose end shows that they are complete', async () => {
    const { sessionId } = await say('/blocks 2', 'ann');
    const { body, type } = await admin.get(`sessions/${sessionId}/export`);
    expect(type).toBe('application/jsonl');
    const text = String(body['text']);
    const lines = linesOf(text);
    expect(lines.map((line) => line['type'])).toEqual(['session', 'message', 'frame', 'frame', 'frame', 'end']);
    const before = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
    expect(lines.at(-1)).toEqual({
      type: 'end',
      items: 5,
      sha256: createHash('sha256').update(before).digest('hex'),
    });
    const folder = await mkdtemp(join(tmpdir(), 'export-'));
    const file = join(folder, 'ann.jsonl');
    expect((await command('sessions', 'export', sessionId, '--output', file)).out).toContain('5 records');
    expect(await readFile(file, 'utf8')).toBe(text);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rm(folder, { recursive: true });
  });

  it('[AD-15] has an export without an end if the store fails in the middle of it', async () => {
    const { sessionId } = await say('/blocks 2', 'ann');
    const frames = gateway.app.get(FrameStore, { strict: false });
    const read = frames.readFrames.bind(frames);
    frames.readFrames = async (...all) => {
      if (all[1] > 0) throw new Error('the disk is gone');
      return read(...all);
    };
    await expect(admin.get(`sessions/${sessionId}/export`)).rejects.toThrow('terminated');
    const folder = await mkdtemp(join(tmpdir(), 'export-'));
    const failed = await command('sessions', 'export', sessionId, '--output', join(folder, 'ann.jsonl'));
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining('the export is not complete') as string]);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it('[AD-16] is deleted with everything in it, and one with the same key continues its log', async () => {
    const { sessionId, ref } = await say('/blocks 2', 'ann');
    const running = driver.send('message_in', { channel: 'test', sender: 'ann', content: '/wait 60000' });
    await driver.answerTo(running);
    await expect.poll(async () => (await admin.get('turns')).body.items).toHaveLength(1);
    expect((await stranger.delete(`sessions/${sessionId}`)).status).toBe(404);
    expect((await command('sessions', 'delete', sessionId)).code).toBe(0);
    const end = await driver.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === running);
    expect(end.payload['reason']).toBe('cancelled');
    expect((await admin.get(`sessions/${sessionId}`)).status).toBe(404);
    expect((await admin.get(`messages/${ref}`)).status).toBe(404);
    expect((await audit('session.delete')).map(({ target }) => target)).toEqual([sessionId]);
    const again = await say('hello', 'ann');
    expect(again.sessionId).toBe(sessionId);
    const { items, first_seq: firstSeq } = (await admin.get(`sessions/${sessionId}/frames`)).body;
    expect([items?.[0]?.['seq'], firstSeq]).toEqual([(end.seq ?? 0) + 1, (end.seq ?? 0) + 1]);
    expect((await admin.get(`sessions/${sessionId}/messages`)).body.items).toHaveLength(1);
  });
});

describe('people', () => {
  it('[AD-17] are listed once for each channel, with their names', async () => {
    await say('a', 'ann', { sender_name: 'Ann' });
    await say('@openclaw b', 'ann', { group_id: 'room-1' });
    await say('c', 'ben');
    const { items } = (await admin.get('people')).body;
    expect(items).toMatchObject([
      { channel: 'test', sender: 'ann', name: 'Ann' },
      { channel: 'test', sender: 'ben' },
    ]);
    expect((await admin.all('people?limit=1')).map(({ sender }) => sender)).toEqual(['ann', 'ben']);
    expect((await admin.get('people?q=EN')).body.items).toMatchObject([{ sender: 'ben' }]);
    expect((await admin.get('people?channel=other')).body).toEqual({ items: [] });
    expect((await stranger.get('people')).body).toEqual({ items: [] });
    expect((await command('people')).out).toContain('Ann');
  });

  it('[AD-18] are exported, and erased without a gap in the logs of their sessions', async () => {
    const own = await say('my secret is 4711', 'ann', { sender_name: 'Ann' });
    const room = await say('@openclaw 4711 again', 'ann', { group_id: 'room-1' });
    await say('@openclaw ben speaks', 'ben', { group_id: 'room-1' });
    const lines = linesOf((await admin.get('people/test/ann/export')).body['text']);
    expect(lines.filter((line) => line['type'] === 'message').map((line) => line['content'])).toEqual([
      '@openclaw 4711 again',
      'my secret is 4711',
    ]);
    const before = (await admin.get(`sessions/${room.sessionId}/frames`)).body.items ?? [];
    expect((await stranger.delete('people/test/ann')).body).toMatchObject({ messages: 0, frames: 0 });
    const erased = await admin.delete('people/test/ann');
    expect(erased.body).toMatchObject({ messages: 2, replies: 2, media: 0, memories: 0 });
    expect(Number(erased.body['frames'])).toBeGreaterThan(3);
    const frames = (await admin.get(`sessions/${room.sessionId}/frames`)).body.items ?? [];
    expect(frames.map(({ seq, type }) => [seq, type])).toEqual(before.map(({ seq, type }) => [seq, type]));
    for (const session of [own, room]) {
      const { body } = await admin.get(`sessions/${session.sessionId}/export`);
      expect(String(body['text'])).not.toContain('4711');
    }
    expect(String((await admin.get(`sessions/${room.sessionId}/export`)).body['text'])).toContain('ben speaks');
    expect((await admin.get('people')).body.items).toMatchObject([{ sender: 'ben' }]);
    expect((await admin.get('presence')).body.items).toMatchObject([{ user_id: 'ben' }]);
    expect((await audit('person.erase')).find(({ actor }) => actor === 'operator')?.after).toEqual({
      erased: erased.body,
    });
    expect((await admin.delete('people/test/ann')).body).toMatchObject({ messages: 0, replies: 0, frames: 0 });
  });

  it('[AD-18] that were erased leave a log that a client reads to its end', async () => {
    const { sessionId } = await say('/blocks 2', 'ann');
    await admin.delete('people/test/ann');
    const reader = await gateway.connect('reader', TOKENS.operator);
    reader.send('resume', { sessions: [{ session_id: sessionId, after_seq: 0 }] });
    const seqs = [];
    for (let seq = 1; seq <= 3; seq++) seqs.push((await reader.next((frame) => frame.seq === seq)).payload);
    expect(seqs).toEqual([{}, {}, {}]);
  });

  it('[AD-19] are shown by their presence', async () => {
    await say('a', 'ann');
    driver.send('presence', { channel: 'test', user_id: 'ben', status: 'typing' });
    await expect.poll(async () => (await admin.get('presence')).body.items).toHaveLength(2);
    expect((await admin.all('presence?limit=1')).map(({ user_id: id, status }) => [id, status])).toEqual([
      ['ann', 'online'],
      ['ben', 'typing'],
    ]);
    expect((await stranger.get('presence')).body).toEqual({ items: [] });
  });
});

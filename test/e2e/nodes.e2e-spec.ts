import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { eventually } from '../support/eventually.js';
import { FrameClient } from '../support/frame-client.js';
import { callTool, FLEET, NodeApp, OPERATOR, resultOf } from '../support/node-app.js';
import { aCommand, TestNode } from '../support/test-node.js';

let app: NodeApp;
afterEach(() => app?.close());

const TEN_MINUTES_MS = 600_000;

/** Connects with a credential that is refused. Resolves with the close. */
async function refusalOf(credential: string): Promise<{ code: number; reason: string }> {
  const client = await FrameClient.open(app.gateway.port, '', { headers: { authorization: `Bearer ${credential}` } });
  return client.ended;
}

describe('a pairing code', () => {
  it('[F-01] is answered alike when it is wrong, used or expired, and such a guess counts as a failure', async () => {
    const clock = new ManualClock(Date.now());
    app = await NodeApp.start({ clock });
    const code = await app.invite();
    await app.pair({ name: 'Another' });
    const stranger = new TestNode(app.gateway.port);
    const used = await app.invite();
    await stranger.pair(used);
    clock.advance(TEN_MINUTES_MS + 1);
    const late = new TestNode(app.gateway.port);
    const answers = await Promise.all(
      ['00000-00000', used, code].map(async (tried) => {
        const response = await late.pair(tried);
        return [response.status, ((await response.json()) as { detail: string }).detail];
      }),
    );
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]).toEqual([401, 'This code is wrong, was used before, or has expired']);
    const statuses: number[] = [];
    for (let n = 0; n < 20; n++) statuses.push((await late.pair('00000-00000')).status);
    expect(statuses).toContain(429);
    // A right code always passes.
    expect((await late.pair(await app.invite())).status).toBe(200);
  });

  it('[F-01] is used once by devices that show it at the same time', async () => {
    app = await NodeApp.start();
    const code = await app.invite();
    const responses = await Promise.all(Array.from({ length: 10 }, () => new TestNode(app.gateway.port).pair(code)));
    expect(responses.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('[F-01] is made for at most 20 devices at a time, and by operators alone', async () => {
    app = await NodeApp.start();
    for (let n = 0; n < 20; n++) await app.invite();
    expect((await app.admin('POST', '/pairings', { name: 'One more' })).status).toBe(429);
    const withFleet = { method: 'POST', headers: { authorization: `Bearer ${FLEET}` } };
    expect((await fetch(`${app.url}/admin/v1/nodes/pairings`, withFleet)).status).toBe(403);
  });

  it.each([
    ['a name with direction', { name: '\u202Egnp.exe' }],
    ['a name with controls', { name: 'a\nb' }],
    ['a name that is too long', { name: 'a'.repeat(301) }],
    ['a key of 31 bytes', { public_key: Buffer.alloc(31, 7).toString('base64url') }],
    ['a key of zeros', { public_key: Buffer.alloc(32).toString('base64url') }],
    ['an unknown field', { admin: true }],
  ])('[F-01] [F-02] is not used up by a device with %s, which is HTTP 400', async (_name, change) => {
    app = await NodeApp.start();
    const node = new TestNode(app.gateway.port);
    const code = await app.invite();
    const body = JSON.stringify({ code, name: 'A', public_key: node.publicKey, ...change });
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${app.url}/nodes/pair`, { method: 'POST', headers, body })).status).toBe(400);
    expect((await node.pair(code)).status).toBe(200);
  });

  it('[F-02] gives a second device with the name another ID, and a known key none', async () => {
    app = await NodeApp.start();
    const first = await app.pair();
    const second = await app.pair();
    expect([first.nodeId, second.nodeId]).toEqual(['kitchen-mac', 'kitchen-mac-2']);
    const code = await app.invite();
    expect((await first.pair(code)).status).toBe(409);
    expect((await new TestNode(app.gateway.port).pair(code)).status).toBe(200);
  });
});

describe('the key of a node', () => {
  it('[F-02] is replaced under the same ID: the old one ends at once, and what it may offer stays', async () => {
    app = await NodeApp.start();
    const lost = await app.pair({ name: 'Kitchen Mac', allow: ['lamp.*'] });
    const line = await lost.connect([aCommand('lamp.set')]);
    const found = await app.pair({ replace: 'kitchen-mac' });
    expect(found.nodeId).toBe('kitchen-mac');
    expect(await line.ended).toMatchObject({ code: 4001 });
    expect(await refusalOf(lost.makeCredential())).toEqual({ code: 4001, reason: 'Unauthorized' });
    const again = await found.connect();
    expect((await found.register(again, [aCommand('lamp.set'), aCommand('door.open')])).payload).toMatchObject({
      accepted: ['lamp.set'],
      refused: [{ name: 'door.open', reason: 'the pairing does not allow it' }],
    });
  });

  it('[F-03] signs each credential for one connection: a repeat, another gateway and another node are refused', async () => {
    app = await NodeApp.start();
    const node = await app.pair();
    const credential = node.makeCredential();
    await (await node.connect([], credential)).close();
    expect(await refusalOf(credential)).toEqual({ code: 4001, reason: 'This credential was used before' });
    const other = await app.pair();
    other.nodeId = node.nodeId;
    expect(await refusalOf(other.makeCredential())).toEqual({ code: 4001, reason: 'Unauthorized' });
    node.gatewayId = 'gw-other';
    expect(await refusalOf(node.makeCredential())).toEqual({ code: 4001, reason: 'Unauthorized' });
  });

  it('[F-04] with a clock that is off gets the difference as the reason, as often as it tries, without a failure', async () => {
    app = await NodeApp.start();
    const node = await app.pair();
    for (let n = 0; n < 25; n++) {
      const { code, reason } = await refusalOf(node.makeCredential(Date.now() - 300_000));
      expect(code).toBe(4001);
      expect(reason).toMatch(/^The clock of this node is (300|301) s behind$/);
    }
    await (await node.connect([])).close();
  });

  it('[F-05] ends when an operator revokes it: the connection, the tools, and every attempt after', async () => {
    app = await NodeApp.start();
    const node = await app.pair();
    const line = await node.connect([aCommand('lamp.set')]);
    expect((await app.admin('DELETE', '/kitchen-mac')).status).toBe(204);
    expect(await line.ended).toEqual({ code: 4001, reason: 'Revoked' });
    expect(await refusalOf(node.makeCredential())).toEqual({ code: 4001, reason: 'Revoked' });
    const person = await app.person();
    callTool(person, 'node.kitchen-mac.lamp.set');
    expect(await resultOf(person)).toMatchObject({ content: { code: 'TOOL_NOT_FOUND' } });
    expect((await app.admin('DELETE', '/kitchen-mac')).status).toBe(404);
    // Its ID is not given to another device.
    expect((await app.pair()).nodeId).toBe('kitchen-mac-2');
  });

  it('[F-03] lets a node serve commands and nothing else, also in open mode', async () => {
    app = await NodeApp.start({ settings: { 'auth.tokens': [] } });
    const headers = { authorization: `Bearer ${app.gateway.localToken}`, 'content-type': 'application/json' };
    const invitation = { method: 'POST', headers, body: '{"name":"Kitchen Mac"}' };
    const made = (await (await fetch(`${app.url}/admin/v1/nodes/pairings`, invitation)).json()) as { code: string };
    const node = new TestNode(app.gateway.port);
    await node.pair(made.code);
    const line = await node.connect([aCommand('lamp.set')]);
    const message = { channel: 'webchat', sender: 'me', content: 'hi' };
    expect((await line.answerTo(line.send('message_in', message))).payload['code']).toBe('FORBIDDEN');
    const status = async (path: string) =>
      (await fetch(app.url + path, { headers: { authorization: `Bearer ${node.makeCredential()}` } })).status;
    expect(await status('/admin/v1/tools')).toBe(403);
    const upload = { method: 'POST', headers: { authorization: `Bearer ${node.makeCredential()}` }, body: 'x' };
    expect((await fetch(`${app.url}/media`, upload)).status).toBe(403);
  });

  it('[F-02] keeps its ID when it is renamed', async () => {
    app = await NodeApp.start();
    await app.pair();
    expect(await (await app.admin('PATCH', '/kitchen-mac', { name: 'Office Mac' })).json()).toMatchObject({
      id: 'kitchen-mac',
      name: 'Office Mac',
    });
    expect((await app.admin('PATCH', '/kitchen-mac', { name: 'a\u202Eb' })).status).toBe(400);
    expect((await app.admin('PATCH', '/n_unknown', { name: 'x' })).status).toBe(404);
  });

  it('of one machine at a time: three replaced connections within minutes are reported to operators', async () => {
    app = await NodeApp.start();
    const node = await app.pair();
    const lines = [];
    for (let n = 0; n < 4; n++) lines.push(await node.connect([]));
    expect(await lines[0]?.ended).toMatchObject({ code: 4010 });
    await eventually(async () =>
      expect(await (await app.admin('GET')).json()).toMatchObject({
        items: [{ warning: expect.stringContaining('two machines use this key') }],
      }),
    );
  });
});

describe('the list of nodes', () => {
  it('names the jobs that the events of a node start', async () => {
    app = await NodeApp.start();
    await app.pair();
    const headers = { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' };
    const target = { channel: 'test', sender: 'ann' };
    const add = async (name: string, on_event: object) => {
      const body = JSON.stringify({ name, schedule: { on_event }, target, message: '{{event}}' });
      const response = await fetch(`${app.url}/admin/v1/cron/jobs`, { method: 'POST', headers, body });
      return ((await response.json()) as { job_id: string }).job_id;
    };
    const greet = await add('greet', { event: 'door.opened', node_id: 'kitchen-mac' });
    await add('any', { event: 'door.opened' });
    const listed = async () =>
      ((await (await app.admin('GET')).json()) as { items: { jobs: object[] }[] }).items[0]?.jobs;
    expect(await listed()).toEqual([{ job_id: greet, name: 'greet' }]);
  });
});

describe('a node with a token', () => {
  it('[F-06] is the one that its client_id names, never one that was paired', async () => {
    app = await NodeApp.start();
    await app.pair();
    const register = async (clientId: string, nodeId = clientId) => {
      const line = await app.gateway.connect(clientId, FLEET);
      const answer = await line.answerTo(line.send('node_register', { node_id: nodeId, commands: [aCommand('a')] }));
      return answer.payload['code'] ?? answer.payload['accepted'];
    };
    expect(await register('lamp-1')).toEqual(['a']);
    expect(await register('lamp-2', 'lamp-1')).toBe('FORBIDDEN');
    expect(await register('kitchen-mac')).toBe('FORBIDDEN');
    expect(await register('Lamp.3')).toBe('FORBIDDEN');
    expect(OPERATOR).not.toBe(FLEET);
  });
});

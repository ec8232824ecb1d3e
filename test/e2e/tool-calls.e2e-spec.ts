import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminStore, ApprovalStore, type ApprovalQuery } from '../../src/core/store/index.js';
import { ToolRegistryService } from '../../src/core/tools/tool-registry.service.js';
import { AdminApi, type Body } from '../support/admin-api.js';
import { anApproval } from '../../src/testing/factories.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

let gateway: GatewayApp;
let driver: FrameClient;
let admin: AdminApi;
const calls: unknown[] = [];
let aborted: Promise<void>;

beforeEach(async () => {
  calls.length = 0;
  gateway = await GatewayApp.start({ settings: { ...withTokens, 'tools.approvals': ['acme.ask'] } });
  const registry = gateway.app.get(ToolRegistryService, { strict: false });
  const gone = Promise.withResolvers<void>();
  aborted = gone.promise;
  const common = {
    description: 'A test.',
    permissions: [] as string[],
    timeoutMs: 10_000,
    idempotent: true,
    requiresApproval: false,
    sandbox: false,
  };
  const parameters = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } as never;
  const record = (given: unknown) => {
    calls.push(given);
    return { given };
  };
  registry.register({ ...common, name: 'acme.add', parameters, handler: record });
  registry.register({ ...common, name: 'acme.ask', idempotent: false, parameters, handler: record });
  registry.register({ ...common, name: 'acme.locked', permissions: ['vault'], parameters, handler: record });
  registry.register({
    ...common,
    name: 'acme.slow',
    parameters: { type: 'object' },
    handler: (_: unknown, { signal }) =>
      new Promise((_resolve, reject) => {
        calls.push('slow');
        signal.addEventListener('abort', () => (gone.resolve(), reject(new Error('gone'))));
      }),
  });
  registry.register({
    ...common,
    name: 'acme.fail',
    parameters: { type: 'object' },
    handler: () => {
      throw new Error('no paper');
    },
  });
  driver = await gateway.connect('c', TOKENS.driver);
  admin = new AdminApi(gateway);
});
afterEach(() => gateway.close());

async function sessionOf(sender: string): Promise<string> {
  const id = driver.send('message_in', { channel: 'test', sender, content: 'hi' });
  const ack = await driver.next((frame) => frame.type === 'message_ack' && frame.payload['id'] === id);
  return String(ack.session_id);
}

/** Waits for the approval that a call has asked for. */
async function pending(): Promise<Readonly<Record<string, unknown>>> {
  let found: Body['items'] = [];
  await expect.poll(async () => (found = (await admin.get('approvals')).body.items ?? []).length).toBe(1);
  return found[0] ?? {};
}

const decide = ({ approval_id: id, arguments_sha256 }: Readonly<Record<string, unknown>>, decision: string) =>
  admin.post(`approvals/${String(id)}`, { decision, arguments_sha256 });

describe('a tool call over the administration', () => {
  it('[AD-40] runs with its parameters, returns the result or the failure, and has a row in the audit trail', async () => {
    const { status, body } = await admin.post('tools/acme.add/call', { parameters: { n: 2 } });
    expect([status, body]).toEqual([
      200,
      { call_id: expect.any(String) as string, ok: true, content: { given: { n: 2 } } },
    ]);
    expect((await admin.post('tools/acme.fail/call', {})).body).toMatchObject({
      ok: false,
      code: 'TOOL_FAILED',
      message: expect.stringContaining('no paper') as string,
    });
    const { items } = (await admin.get('audit?action=tool.call')).body;
    expect(items?.map(({ actor, target }) => [actor, target])).toEqual([
      ['operator', 'acme.fail'],
      ['operator', 'acme.add'],
    ]);
  });

  it('[AD-40] is refused without the scope, the tool, the permission of its session, or valid parameters', async () => {
    const refusal = async (name: string, body: object, token: string = TOKENS.operator) => {
      const { status, body: problem } = await new AdminApi(gateway, token).post(`tools/${name}/call`, body);
      return [
        status,
        problem['code'],
        ((problem['faults'] ?? []) as { pointer: string }[]).map(({ pointer }) => pointer),
      ];
    };
    expect(await refusal('acme.add', { parameters: { n: 1 } }, TOKENS.reader)).toEqual([403, 'FORBIDDEN', []]);
    expect(await refusal('acme.none', {})).toEqual([404, 'TOOL_NOT_FOUND', []]);
    expect(await refusal('acme.locked', { parameters: { n: 1 } })).toEqual([403, 'TOOL_DENIED', []]);
    expect(await refusal('acme.add', { parameters: { n: 'x' } })).toEqual([
      400,
      'TOOL_INVALID_PARAMETERS',
      ['/parameters/n'],
    ]);
    expect(await refusal('acme.add', { parameters: [] })).toEqual([400, 'INVALID_PAYLOAD', ['/parameters']]);
    const session_id = await sessionOf('ann');
    expect(await refusal('acme.add', { parameters: { n: 1 }, session_id }, TOKENS.stranger)).toEqual([
      404,
      'NOT_FOUND',
      [],
    ]);
    expect(calls).toEqual([]);
    await admin.patch(`sessions/${session_id}`, { tool_permissions: ['vault'] });
    expect(await refusal('acme.locked', { parameters: { n: 1 }, session_id })).toEqual([200, undefined, []]);
  });

  it('[AD-41] that needs an approval waits for the decision in its session, and does nothing without one', async () => {
    const body = { parameters: { n: 1 }, session_id: await sessionOf('ann') };
    expect((await admin.post('tools/acme.ask/call', { parameters: { n: 1 } })).body).toMatchObject({
      code: 'TOOL_DENIED',
      detail: expect.stringContaining('session_id') as string,
    });
    const allowed = admin.post('tools/acme.ask/call', body);
    const first = await pending();
    expect(first).toMatchObject({ tool: 'acme.ask', arguments: { n: 1 }, session_id: body.session_id });
    expect(calls).toEqual([]);
    await decide(first, 'allow');
    expect((await allowed).body).toMatchObject({ ok: true, content: { given: { n: 1 } } });
    const denied = admin.post('tools/acme.ask/call', body);
    await decide(await pending(), 'deny');
    expect((await denied).body).toMatchObject({ code: 'TOOL_DENIED', status: 403 });
    expect(calls).toEqual([{ n: 1 }]);
  });

  it('[AD-41] ends with its request: the tool is stopped, and it can no longer be approved', async () => {
    const leave = new AbortController();
    const call = async (name: string, body: object) =>
      fetch(`${gateway.url}/admin/v1/tools/${name}/call`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKENS.operator}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: leave.signal,
      }).catch(() => 'gone');
    const slow = call('acme.slow', {});
    const asked = call('acme.ask', { parameters: { n: 1 }, session_id: await sessionOf('ann') });
    await pending();
    await expect.poll(() => calls).toEqual(['slow']);
    leave.abort();
    expect([await slow, await asked]).toEqual(['gone', 'gone']);
    await aborted;
    await expect.poll(async () => (await admin.get('approvals')).body.items).toEqual([]);
    expect((await admin.get('approvals?state=expired')).body.items).toHaveLength(1);
    expect(calls).toEqual(['slow']);
  });

  it('[AD-41] shows its approval in the live events and the list, without a message that it has not', async () => {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${TOKENS.operator}` };
    const { body } = await fetch(`${gateway.url}/admin/v1/events`, { headers, signal: stop.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => {});
    const session_id = await sessionOf('ann');
    const answer = admin.post('tools/acme.ask/call', { parameters: { n: 1 }, session_id });
    const approval = await pending();
    const events = () =>
      Array.from(text.matchAll(/event: approval\ndata: (.*)/g), ([, data = '']) => JSON.parse(data) as object);
    await expect
      .poll(events)
      .toMatchObject([
        { approval_id: approval['approval_id'], tool: 'acme.ask', session_id, arguments: { n: 1 }, state: 'pending' },
      ]);
    await decide(approval, 'deny');
    await answer;
    await expect.poll(() => events().at(-1)).toMatchObject({ approval_id: approval['approval_id'], state: 'deny' });
    const [decided] = (await admin.get('approvals?state=denied')).body.items ?? [];
    expect(decided).toMatchObject({ approval_id: approval['approval_id'], session_id });
    for (const row of [approval, decided, ...events()]) expect(row).not.toHaveProperty('message_ref');
    stop.abort();
    await reading;
  });

  it('[AD-41] that a crash ended leaves no open approval, also where those of turns wait', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'direct-calls-'));
    const start = () =>
      GatewayApp.start({ settings: { ...withTokens, 'store.url': `sqlite:${join(folder, 'gateway.db')}` } });
    let app = await start();
    const store = app.app.get(ApprovalStore, { strict: false });
    const expiresAt = Date.now() + 3_600_000;
    await store.openApproval(anApproval({ approvalId: 'a_turn', messageRef: 'm_1', callId: 'c_1', expiresAt }));
    await store.openApproval(anApproval({ approvalId: 'a_call', messageRef: 'call', callId: 'call', expiresAt }));
    await app.close();
    app = await start();
    const list = async (state: ApprovalQuery['state']) =>
      (
        await app.app.get(AdminStore, { strict: false }).listApprovals({ tenant: 'default', state, limit: 9 })
      ).items.map(({ approvalId, decidedBy }) => [approvalId, decidedBy]);
    expect([await list('pending'), await list('expired')]).toEqual([[['a_turn', undefined]], [['a_call', 'gateway']]]);
    await app.close();
    rmSync(folder, { recursive: true });
  });
});

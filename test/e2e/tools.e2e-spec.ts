import { Injectable, Module } from '@nestjs/common';
import Type from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditTrail } from '../../src/core/audit/audit-chain.js';
import { AuditStore } from '../../src/core/store/index.js';
import { ToolRegistryService } from '../../src/core/tools/tool-registry.service.js';
import { Tool, type ToolExecutor } from '../../src/core/tools/tool.decorator.js';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const Parameters = Type.Object({ amount: Type.Integer() }, { additionalProperties: false });

@Tool({ name: 'acme.pay', description: 'Pays.', parameters: Parameters, permissions: ['pay'], requiresApproval: true })
@Injectable()
class PayTool implements ToolExecutor<typeof Parameters> {
  execute({ amount }: { amount: number }): object {
    return { paid: amount };
  }
}

@Module({ providers: [PayTool] })
class AcmeModule {}

let gateway: GatewayApp;
beforeEach(async () => {
  const tokens = withTokens['auth.tokens'] as object[];
  const limited = {
    token: 'limited-token-0123456789',
    principal: 'limited',
    role: 'user',
    channels: ['test'],
    tool_permissions: [],
  };
  gateway = await GatewayApp.start({ settings: { 'auth.tokens': [...tokens, limited] }, modules: [AcmeModule] });
});
afterEach(() => gateway.close());

async function api(
  path: string,
  method = 'GET',
  body?: object,
  token: string = TOKENS.operator,
): Promise<{ status: number; body: never }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${gateway.url}/admin/v1/${path}`, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as never };
}
const pay = (client: FrameClient, id: string, sender = 'alice') =>
  client.send('message_in', { channel: 'test', sender, content: '/tool acme.pay {"amount": 5}' }, { id });
const statusOf = (client: FrameClient, status: string): Promise<SeenFrame> =>
  client.next((frame) => frame.type === 'tool_status' && frame.payload['status'] === status);

describe('tools at run time', () => {
  it('[O-08] are listed with the permissions that they need', async () => {
    const { body } = await api('tools');
    expect((body as { items: object[] }).items).toContainEqual(
      expect.objectContaining({
        name: 'acme.pay',
        permissions: ['pay'],
        needs_approval: true,
        enabled: true,
        idempotent: false,
      }),
    );
  });

  it('[TN-04] are listed without those of other tenants, page by page, and to operators of all tenants with them', async () => {
    const registry = gateway.app.get(ToolRegistryService, { strict: false });
    const lamp = {
      description: 'A lamp.',
      parameters: Type.Object({}),
      permissions: [],
      timeoutMs: 1_000,
      idempotent: true,
      requiresApproval: false,
      sandbox: false,
      handler: () => ({}),
    };
    registry.register({ ...lamp, name: 'node.a.lamp', tenant: 'acme' });
    registry.register({ ...lamp, name: 'node.d.lamp', tenant: 'default' });
    const list = async (token: string, query = '') => {
      const names: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const { body } = await api(`tools?limit=3${query}${cursor && `&cursor=${cursor}`}`, 'GET', undefined, token);
        const page = body as { items: { name: string }[]; next?: string };
        names.push(...page.items.map(({ name }) => name));
        cursor = page.next;
      }
      return names.filter((name) => name.startsWith('node.') || name === 'acme.pay');
    };
    expect(await list(TOKENS.operator)).toEqual(['acme.pay', 'node.d.lamp']);
    expect(await list(TOKENS.stranger)).toEqual(['acme.pay', 'node.a.lamp']);
    expect(await list(TOKENS.owner)).toEqual(['acme.pay', 'node.a.lamp', 'node.d.lamp']);
    expect(await list(TOKENS.owner, '&tenant=acme')).toEqual(['acme.pay', 'node.a.lamp']);
    expect((await api('tools?tenant=acme')).status).toBe(404);
  });

  it('[O-08] are permitted for one session, and for all, while the gateway runs', async () => {
    const alice = await gateway.connect('a', TOKENS.alice);
    pay(alice, 'one');
    const denied = await statusOf(alice, 'denied');
    expect(denied.payload['detail']).toContain('pay');
    const granted = await api(`sessions/${denied.session_id}`, 'PATCH', { tool_permissions: ['pay'] });
    expect(granted).toMatchObject({ status: 200, body: { tool_permissions: ['pay'], participants: ['alice'] } });
    pay(alice, 'two');
    await statusOf(alice, 'awaiting_approval');
    const bob = await gateway.connect('b', TOKENS.bob);
    await api('config', 'PATCH', { version: 0, changes: { 'tools.default_permissions': ['pay'] } }, TOKENS.owner);
    pay(bob, 'three', 'bob');
    await statusOf(bob, 'awaiting_approval');
  });

  it('[O-08] are disabled while the gateway runs', async () => {
    await api('config', 'PATCH', { version: 0, changes: { 'tools.disabled': ['acme.pay'] } }, TOKENS.owner);
    const alice = await gateway.connect('a', TOKENS.alice);
    pay(alice, 'one');
    expect((await statusOf(alice, 'denied')).payload['detail']).toContain('disabled');
  });

  it("[O-09] never exceed the permissions of the sender's credential", async () => {
    await api('config', 'PATCH', { version: 0, changes: { 'tools.default_permissions': ['pay'] } }, TOKENS.owner);
    const limited = await gateway.connect('l', 'limited-token-0123456789');
    pay(limited, 'one', 'limited');
    expect((await statusOf(limited, 'denied')).payload['detail']).toContain('credential');
  });

  it('[O-01] [O-03] wait for the approval of a participant or an operator, over the wire', async () => {
    await api('config', 'PATCH', { version: 0, changes: { 'tools.default_permissions': ['pay'] } }, TOKENS.owner);
    const alice = await gateway.connect('a', TOKENS.alice);
    pay(alice, 'one');
    const asked = (await statusOf(alice, 'awaiting_approval')).payload['approval'] as Record<string, unknown>;
    expect((await api('approvals')).body).toMatchObject({
      items: [{ approval_id: asked['approval_id'], tool: 'acme.pay', arguments: { amount: 5 } }],
    });
    const answer = {
      approval_id: asked['approval_id'],
      decision: 'allow',
      arguments_sha256: asked['arguments_sha256'],
    };
    const bob = await gateway.connect('b', TOKENS.bob);
    expect((await bob.answerTo(bob.send('approval', answer))).payload).toMatchObject({ code: 'NOT_FOUND' });
    alice.send('approval', answer);
    await statusOf(alice, 'succeeded');
    expect((await api('approvals')).body).toEqual({ items: [] });
  });

  it('[P-15] sessions of another tenant do not exist for an operator, and a change needs its scope', async () => {
    const alice = await gateway.connect('a', TOKENS.alice);
    pay(alice, 'one');
    const { session_id: id } = await statusOf(alice, 'denied');
    expect((await api(`sessions/${id}`, 'GET', undefined, TOKENS.stranger)).status).toBe(404);
    expect((await api(`sessions/${id}`, 'PATCH', { tool_permissions: [] }, TOKENS.reader)).status).toBe(403);
    expect((await api(`sessions/${id}`, 'PATCH', { tool_permission: [] })).status).toBe(400);
  });

  it('changed by an operator add a row each to the audit trail, refused changes none', async () => {
    const alice = await gateway.connect('a', TOKENS.alice);
    pay(alice, 'one');
    const { session_id: id } = await statusOf(alice, 'denied');
    await api(`sessions/${id}`, 'PATCH', { tool_permissions: [] }, TOKENS.reader);
    await api(`sessions/${id}`, 'PATCH', { tool_permissions: [] }, TOKENS.stranger);
    await api(`sessions/${id}`, 'PATCH', { tool_permissions: ['pay'] });
    await api('config', 'PATCH', { version: 0, changes: { 'tools.disabled': ['acme.pay'] } }, TOKENS.owner);
    const trail = gateway.app.get(AuditStore, { strict: false });
    const rows = await trail.listAudit({ order: 'oldest', limit: 20 });
    expect(rows.filter(({ action }) => action !== 'auth.success')).toMatchObject([
      { actor: 'operator', tenant: 'default', action: 'session.update', target: id, before: '{"toolPermissions":[]}' },
      { actor: 'owner', tenant: '*', action: 'settings.change' },
    ]);
    expect(await verifyAuditTrail(trail)).toMatchObject({ kind: 'intact', rows: rows.length });
  });
});

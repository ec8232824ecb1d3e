import { expect } from 'vitest';
import { AdminApi } from './admin-api.js';
import { eventually } from './eventually.js';
import type { FrameClient } from './frame-client.js';
import type { GatewayApp } from './gateway-app.js';
import { aCommand, TestNode } from './test-node.js';

/** The IDs of what a tenant has, and of what does not exist. */
export type Ids = Readonly<
  Record<
    | 'tenant'
    | 'session'
    | 'ended'
    | 'failed'
    | 'waiting'
    | 'running'
    | 'connection'
    | 'approval'
    | 'job'
    | 'node'
    | 'token'
    | 'agent'
    | 'media'
    | 'call',
    string
  >
>;

/** The credentials of a tenant. Names, client IDs and message IDs are the same in each tenant. */
export function tokensOf(tenant: string) {
  return { operator: `operator-of-${tenant}-0123456789`, driver: `driver-of-${tenant}-0123456789` };
}

/** Settings with the tenants and an agent of each. */
export function settingsOf(...tenants: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    'auth.tokens': tenants.flatMap((tenant) => [
      { token: tokensOf(tenant).operator, principal: 'admin', role: 'operator', tenant },
      { token: tokensOf(tenant).driver, principal: 'driver', role: 'channel', channels: ['test'], tenant },
    ]),
    agents: Object.fromEntries(
      tenants.map((tenant) => [`agent-${tenant}`, { tenant, description: `Words of ${tenant}.` }]),
    ),
    'tools.approvals': ['time.now'],
    'tools.default_permissions': ['node', ...tenants.map((tenant) => `node:lamp-of-${tenant}`)],
  };
}

/** A tenant that has something of everything, and its credentials in use. */
export class TenantWorld {
  private constructor(
    readonly ids: Ids,
    readonly admin: AdminApi,
    readonly driver: FrameClient,
    readonly operator: FrameClient,
    readonly node: FrameClient,
  ) {}

  static async make(gateway: GatewayApp, tenant: string): Promise<TenantWorld> {
    const tokens = tokensOf(tenant);
    const admin = new AdminApi(gateway, tokens.operator);
    const driver = await gateway.connect('driver', tokens.driver);
    const operator = await gateway.connect('operator', tokens.operator);
    const media = await upload(gateway, tokens.driver);
    const say = async (id: string, sender: string, content: string, attachments?: object[]) => {
      const payload = { channel: 'test', sender, content, ...(attachments && { attachments }) };
      driver.send('message_in', payload, { id });
      const frame = await driver.answerTo(id);
      if (frame.type !== 'message_ack') throw new Error(JSON.stringify(frame));
      return { ref: String(frame.payload['message_ref']), session: frame.session_id ?? '' };
    };
    const first = await say('message-1', 'alice', `words of ${tenant}`, [{ kind: 'file', media_id: media }]);
    const failed = await say('message-2', 'failer', '/fail');
    const running = await say('message-3', 'waiter', '/wait 60000');
    const waiting = await say('message-4', 'waiter', 'next');
    await say('message-5', 'asker', '/tool time.now {}');
    await eventually(async () => expect((await admin.get('approvals')).body.items).toHaveLength(1));
    const hasStatus = async (ref: string, status: string) =>
      expect((await admin.get(`messages/${ref}`)).body).toMatchObject({ status });
    await eventually(() => hasStatus(failed.ref, 'failed'));
    await eventually(() => hasStatus(first.ref, 'done'));
    const node = await makeNode(gateway, admin, `Lamp of ${tenant}`);
    driver.send('message_in', { channel: 'test', sender: 'caller', content: `/tool node.${node.nodeId}.on {}` });
    const called = await node.client.next('tool_call');
    const ids: Ids = {
      tenant,
      session: first.session,
      ended: first.ref,
      failed: failed.ref,
      waiting: waiting.ref,
      running: running.ref,
      connection: await findId(admin, 'connections', 'connection_id'),
      approval: await findId(admin, 'approvals', 'approval_id'),
      job: await makeJob(admin, tenant),
      node: node.nodeId,
      token: String((await admin.post('tokens', { principal: 'ci', role: 'user' })).body['id']),
      agent: `agent-${tenant}`,
      media,
      call: String(called.payload['call_id']),
    };
    return new TenantWorld(ids, admin, driver, operator, node.client);
  }

  /** Everything that the tenant has, without what changes by itself. */
  async snapshot(): Promise<string> {
    const lists = ['sessions', 'turns', 'connections', 'approvals', 'cron/jobs', 'nodes', 'tokens', 'agents', 'usage'];
    const bodies = await Promise.all(
      [...lists, 'queue', `sessions/${this.ids.session}/messages`, `messages/${this.ids.failed}`].map(
        async (path) => [path, (await this.admin.get(path)).body] as const,
      ),
    );
    const changing = /^(age_ms|oldest_age_ms|buffered_bytes|last_active|last_seen_at|next)$/;
    return JSON.stringify(bodies, (key, value: unknown) => (changing.test(key) ? undefined : value), 1);
  }
}

/** IDs of the same form as those of a tenant, which nothing has. */
export function makeGhosts(ids: Ids): Ids {
  const ghosts = Object.entries(ids).map(([name, id]) => {
    if (name === 'tenant' || name === 'agent') return [name, `${id}x`];
    if (name === 'ended' || name === 'failed' || name === 'waiting' || name === 'running') return [name, `${id}zz`];
    const end = id.slice(-8).replaceAll(/[0-9a-z]/gi, (letter) => (letter === '0' ? '1' : '0'));
    return [name, `${id.slice(0, -8)}${end}`];
  });
  return Object.fromEntries(ghosts) as Ids;
}

async function findId(admin: AdminApi, list: string, field: string): Promise<string> {
  return String((await admin.all(list))[0]?.[field]);
}

async function makeJob(admin: AdminApi, tenant: string): Promise<string> {
  const { body } = await admin.post('cron/jobs', {
    ...{ name: 'news', message: `words of ${tenant}`, schedule: { cron: '0 8 * * *' } },
    target: { channel: 'test', sender: 'alice' },
  });
  return String(body['job_id']);
}

async function makeNode(
  gateway: GatewayApp,
  admin: AdminApi,
  name: string,
): Promise<{ nodeId: string; client: FrameClient }> {
  const node = new TestNode(gateway.port);
  const { body } = await admin.post('nodes/pairings', { name });
  await node.pair(String(body['code']), name);
  return { nodeId: node.nodeId, client: await node.connect([aCommand('on')]) };
}

async function upload(gateway: GatewayApp, token: string): Promise<string> {
  const response = await fetch(`${gateway.url}/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: Buffer.from('words in a file'),
  });
  return ((await response.json()) as { media_id: string }).media_id;
}

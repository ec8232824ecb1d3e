import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenAPIObject } from '@nestjs/swagger';
import { buildOpenApi } from '../../src/http/documents/openapi.js';
import { inboundTable, type InboundType } from '../../src/protocol/inbound.js';
import type { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';
import { makeGhosts, settingsOf, tokensOf, TenantWorld, type Ids } from '../support/tenant-world.js';

/**
 * Walks through every operation of the HTTP API and every frame that clients send, as one tenant with the IDs of another. The
 * same names, client IDs and message IDs are in use in both, and each walk happens twice, so that a cache would answer.
 */

let gateway: GatewayApp;
let document: OpenAPIObject;
const worlds = new Map<string, TenantWorld>();

beforeAll(async () => {
  gateway = await GatewayApp.start({ settings: settingsOf('ibex', 'quokka') });
  document = await buildOpenApi(gateway.app);
  for (const tenant of ['ibex', 'quokka']) worlds.set(tenant, await TenantWorld.make(gateway, tenant));
});
afterAll(() => gateway.close());

/** Which ID stands for the parameter after a part of a path. Others are names that tenants share. */
const PARAMETERS: Readonly<Record<string, keyof Ids>> = {
  sessions: 'session',
  messages: 'failed',
  turns: 'running',
  connections: 'connection',
  approvals: 'approval',
  jobs: 'job',
  nodes: 'node',
  tokens: 'token',
  agents: 'agent',
  tenants: 'tenant',
  media: 'media',
};

const SHARED: Readonly<Record<string, string>> = { people: 'test', '{channel}': 'alice', tools: 'time.now' };

/** Bodies with which an operation gets as far as it can. */
const BODIES: Readonly<Record<string, (ids: Ids) => object>> = {
  'PATCH /admin/v1/sessions/{id}': () => ({ explicit_activation: true }),
  'POST /admin/v1/sessions/{id}/messages': () => ({ content: 'from outside' }),
  'POST /admin/v1/approvals/{id}': () => ({ decision: 'allow', arguments_sha256: '0'.repeat(64) }),
  'POST /admin/v1/tools/{name}/call': ({ session }) => ({ parameters: {}, session_id: session }),
  'PATCH /admin/v1/tools/{name}': () => ({ enabled: false }),
  'PATCH /admin/v1/cron/jobs/{id}': () => ({ enabled: false }),
  'PATCH /admin/v1/nodes/{id}': () => ({ name: 'Mine' }),
  'POST /admin/v1/nodes/pairings': ({ node }) => ({ replace: node }),
  'POST /admin/v1/tokens': ({ tenant }) => ({ principal: 'spy', role: 'user', tenant }),
  'POST /admin/v1/bindings/test': ({ tenant }) => ({ channel: 'test', sender: 'alice', tenant }),
  'PATCH /admin/v1/logs/levels': () => ({ levels: { gateway: 'info' } }),
  'POST /admin/v1/config/revert': () => ({ version: 0 }),
  'PATCH /admin/v1/config': () => ({ version: 0, changes: { 'agent.name': 'eve' } }),
  'PATCH /admin/v1/tenants/{name}': () => ({ quotas: { turns: 1 } }),
};

/** Operations without an ID in the path whose body has one. */
const NAMES_OTHERS = new Set([
  'POST /admin/v1/nodes/pairings',
  'POST /admin/v1/tokens',
  'POST /admin/v1/bindings/test',
  'POST /admin/v1/tools/{name}/call',
]);

/** What belongs to the process: operators of one tenant get HTTP 403. */
const OF_PROCESS = [
  'GET /metrics',
  'GET /admin/v1/logs',
  'PATCH /admin/v1/logs/levels',
  'GET /admin/v1/config',
  'PATCH /admin/v1/config',
  'GET /admin/v1/config/history',
  'POST /admin/v1/config/revert',
  'POST /admin/v1/drain',
  'POST /admin/v1/backup',
  'GET /admin/v1/tenants',
  'PATCH /admin/v1/tenants/{name}',
  'GET /admin/v1/audit/verify',
];

/** Lists that have something of the caller, so that an empty answer is not taken for a separate one. */
const FILLED: Readonly<Record<string, keyof Ids>> = {
  '/admin/v1/sessions': 'session',
  '/admin/v1/people': 'session',
  '/admin/v1/queue': 'waiting',
  '/admin/v1/turns': 'running',
  '/admin/v1/connections': 'connection',
  '/admin/v1/approvals': 'approval',
  '/admin/v1/cron/jobs': 'job',
  '/admin/v1/nodes': 'node',
  '/admin/v1/tokens': 'token',
  '/admin/v1/agents': 'agent',
};

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
}

function listOperations(): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
    })),
  );
}

function fill(path: string, ids: Ids): string {
  const parts = path.split('/');
  return parts
    .map((part, index) => {
      if (!part.startsWith('{')) return part;
      const before = parts[index - 1] ?? '';
      const id = PARAMETERS[before];
      return encodeURIComponent(id ? ids[id] : (SHARED[before] ?? 'unknown'));
    })
    .join('/');
}

/** Requests an operation as a tenant. A stream is read for a moment. */
async function request(tenant: string, { name, method, path }: Operation, ids: Ids, query = '') {
  const body = method === 'GET' || method === 'DELETE' ? undefined : (BODIES[name]?.(ids) ?? {});
  const response = await fetch(`${gateway.url}${fill(path, ids)}${query}`, {
    method,
    headers: { authorization: `Bearer ${tokensOf(tenant).operator}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { headers } = response;
  if (path.startsWith('/admin/'))
    expect([name, headers.get('cache-control'), headers.get('vary')]).toEqual([
      name,
      expect.stringContaining('no-store'),
      'Authorization, Cookie, Origin',
    ]);
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) await response.body?.cancel();
  return { status: response.status, text: isStream ? '' : await response.text() };
}

/** Puts the names of IDs in place of those of one set, so that answers about two sets can be compared. */
function withoutIds(text: string, ids: Ids): string {
  return Object.entries(ids)
    .toSorted(([, a], [, b]) => b.length - a.length)
    .reduce((rest, [name, id]) => rest.replaceAll(id, `<${name}>`), text)
    .replaceAll(/"error_id":"\w+"|\d{13}/g, '');
}

/** What only the other tenant has. */
const marksOf = ({ tenant, ...ids }: Ids) => [`ords of ${tenant}`, ...Object.values(ids)];

describe.each([
  ['ibex', 'quokka'],
  ['quokka', 'ibex'],
  ['ibex', 'quokka'],
])('as %s, what %s has', (own, other) => {
  const foreign = () => worlds.get(other)!;
  const mine = () => worlds.get(own)!;

  it('[TN-12] does not exist for any operation of the HTTP API', async () => {
    const before = await foreign().snapshot();
    const { ids } = foreign();
    const ghosts = makeGhosts(ids);
    const leaks: unknown[] = [];
    for (const operation of listOperations()) {
      const { name, method, path } = operation;
      const answer = await request(own, operation, ids);
      const found = marksOf(ids).filter((mark) => answer.text.includes(mark));
      const namesId = /\/(\w+)\/\{/.exec(path)?.[1] ?? '';
      // An answer that names what was asked for gives nothing away.
      const isGhostly = namesId in PARAMETERS || NAMES_OTHERS.has(name);
      if (isGhostly) {
        const ghost = await request(own, operation, ghosts);
        if (answer.status < 400 || answer.status !== ghost.status) leaks.push([name, answer.status, ghost.status]);
        else if (withoutIds(answer.text, ids) !== withoutIds(ghost.text, ghosts)) leaks.push([name, answer, ghost]);
      } else if (found.length > 0 || answer.status >= 500) leaks.push([name, answer.status, found]);
      const filled = method === 'GET' ? FILLED[path] : undefined;
      if (filled && !answer.text.includes(mine().ids[filled])) leaks.push([name, 'has nothing of the caller']);
    }
    expect(leaks).toEqual([]);
    expect(await foreign().snapshot()).toBe(before);
  });

  it('[TN-12] cannot be named by ?tenant=', async () => {
    const answers = [];
    for (const operation of listOperations().filter(({ path }) => path.startsWith('/admin/v1/')))
      answers.push([operation.name, (await request(own, operation, mine().ids, `?tenant=${other}`)).status]);
    expect(answers.filter(([, status]) => status !== 404)).toEqual([]);
  });

  it('[TN-12] [I-61] does not follow from what belongs to the process', async () => {
    for (const name of OF_PROCESS) {
      const operation = listOperations().find((found) => found.name === name);
      if (!operation) throw new Error(`there is no ${name}`);
      expect([name, (await request(own, operation, mine().ids)).status]).toEqual([name, 403]);
    }
  });

  it('[TN-12] does not exist for any frame', async () => {
    const before = await foreign().snapshot();
    const { ids } = foreign();
    const ghosts = makeGhosts(ids);
    const leaks: unknown[] = [];
    for (const type of Object.keys(inboundTable) as InboundType[])
      for (const client of clientsFor(type, mine())) {
        const [answer, ghost] = [await exchange(client, type, ids), await exchange(client, type, ghosts)];
        if (withoutIds(answer, ids) !== withoutIds(ghost, ghosts)) leaks.push([type, answer, ghost]);
      }
    expect(leaks).toEqual([]);
    expect(await foreign().snapshot()).toBe(before);
  });

  it('[TN-12] is not among the live events', async () => {
    const stream = new AbortController();
    const response = await fetch(`${gateway.url}/admin/v1/events`, {
      headers: { authorization: `Bearer ${tokensOf(own).operator}` },
      signal: stream.signal,
    });
    const say = (world: TenantWorld) => {
      const id = `event-${own}-${++said}`;
      world.driver.send('message_in', { channel: 'test', sender: 'alice', content: 'hello' }, { id });
      return world.driver.next((frame) => frame.type === 'message_ack' && frame.correlation_id === id);
    };
    await say(foreign());
    const { payload } = await say(mine());
    let seen = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      seen += chunk;
      if (seen.includes(String(payload['message_ref']))) break;
    }
    stream.abort();
    expect(seen).not.toContain(foreign().ids.session);
    expect(seen).not.toContain(`"tenant":"${other}"`);
  });
});

let said = 0;

/** The clients of a tenant that may send a frame. */
function clientsFor(type: InboundType, { driver, operator, node }: TenantWorld): FrameClient[] {
  if (type === 'node_register' || type === 'tool_result' || type === 'node_event') return [node];
  return [driver, operator];
}

/** A frame about what has the IDs, for each type. */
const FRAMES: { readonly [T in InboundType]: (ids: Ids) => readonly [payload: object, session?: string] } = {
  message_in: ({ session }) => [{ channel: 'test', sender: 'alice', content: 'from outside' }, session],
  presence: () => [{ channel: 'test', user_id: 'alice', status: 'typing' }],
  reaction: ({ ended }) => [{ channel: 'test', sender: 'alice', message_id: ended, emoji: '👍', action: 'added' }],
  channel_status: () => [{ channel: 'test', status: 'connected' }],
  resume: ({ session }) => [{ sessions: [{ session_id: session, after_seq: 0 }] }],
  delivered: ({ session }) => [{ session_id: session, seq: 1 }],
  history: ({ session }) => [{ limit: 10 }, session],
  cancel: ({ running }) => [{ message_ref: running }],
  approval: ({ approval }) => [{ approval_id: approval, decision: 'allow', arguments_sha256: '0'.repeat(64) }],
  ping: () => [{}],
  canvas_state: ({ session }) => [{ surface_id: 'surface', version: 1, data: {} }, session],
  canvas_problem: ({ session }) => [{ surface_id: 'surface', version: 1, problem: 'none' }, session],
  canvas_open: ({ session }) => [{ surface_id: 'surface' }, session],
  node_register: ({ node }) => [{ node_id: node, commands: [] }],
  tool_result: ({ call }) => [{ call_id: call, ok: true, content: 'mine' }],
  node_event: ({ call }) => [{ event: 'progress', call_id: call, data: {} }],
};

/** Sends a frame, and returns the types and payloads of its answers. */
async function exchange(client: FrameClient, type: InboundType, ids: Ids): Promise<string> {
  const [payload, session] = FRAMES[type](ids);
  const id = client.send(type, payload, session === undefined ? {} : { session_id: session });
  const end = client.send('ping');
  const answers = [];
  for (;;) {
    const frame = await client.next(({ correlation_id: of }) => of === id || of === end);
    if (frame.correlation_id === end) break;
    answers.push([frame.type, frame.session_id, frame.payload]);
  }
  return JSON.stringify(answers);
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CanvasBlock } from '../../src/protocol/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { drawingAgent, FORM, surfaceOf } from '../support/drawing-agent.js';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

const trees = JSON.parse(readFileSync('test/inputs/canvas/trees.json', 'utf8')) as {
  readonly cases: readonly { readonly name: string; readonly messages: readonly object[] }[];
};
const update = (components: readonly object[]) => ({ updateComponents: { surfaceId: 's', components } });
const show = (parameters: object) => ({ tool: 'canvas.show', parameters });
const change = (parameters: object) => ({ tool: 'canvas.update', parameters: { surface_id: 's', ...parameters } });

const NO_FILE = 'f_00000000-0000-0000-0000-000000000000';

const plans = {
  form: [show({ kind: 'a2ui', title: 'A form', messages: surfaceOf(FORM, { name: '' }) })],
  page: [show({ surface_id: 'p', kind: 'html', html: '<h1>Hello</h1>' })],
  changed: [show({ surface_id: 'p', kind: 'html', html: '<h1>Changed</h1>' })],
  large: [show({ kind: 'html', html: `<p>${'x'.repeat(1_048_500)}</p>` })],
  huge: [show({ kind: 'html', html: 'x'.repeat(2_097_152) })],
  heavy: [show({ kind: 'a2ui', messages: surfaceOf([{ id: 'root', component: 'Text', text: 'x'.repeat(262_144) }]) })],
  update: [change({ messages: [update([{ id: 'title', component: 'Text', text: 'And now?' }])] })],
  cycle: [change({ messages: [update([{ id: 'title', component: 'Card', child: 'root' }])] })],
  both: [
    change({ messages: [update([{ id: 'title', component: 'Text', text: 'One' }])] }),
    change({ messages: [update([{ id: 'title', component: 'Text', text: 'Two' }])] }),
  ],
  close: [{ tool: 'canvas.close', parameters: { surface_id: 's' } }],
  read: [{ tool: 'canvas.read', parameters: { surface_id: 's' } }],
  blank: [
    show({
      kind: 'a2ui',
      messages: surfaceOf([
        { id: 'root', component: 'Column', children: ['choice', 'slider', 'picture'] },
        {
          id: 'choice',
          component: 'ChoicePicker',
          label: 'Which',
          options: [],
          value: [],
          variant: 'multipleSelection',
        },
        { id: 'slider', component: 'Slider', min: 10, max: -5, value: 1 },
        { id: 'picture', component: 'Image', url: `/media/${NO_FILE}` },
      ]),
    }),
  ],
  readPage: [{ tool: 'canvas.read', parameters: { surface_id: 'p' } }],
  newPage: [{ tool: 'canvas.update', parameters: { surface_id: 'p', html: '<h1>New</h1>' } }],
  many: Array.from({ length: 21 }, (_, i) => show({ surface_id: `p${i}`, kind: 'html', html: 'x' })),
  wrong: [show({ kind: 'html', messages: [] }), change({}), show({ kind: 'a2ui', html: 'x' })],
  trees: trees.cases
    .filter(({ messages }) => Array.isArray(messages))
    .map(({ messages }) => show({ kind: 'a2ui', messages })),
};

let gateway: GatewayApp;
let client: FrameClient;
let clock: ManualClock;
let folder: string;
beforeEach(async () => {
  clock = new ManualClock();
  folder = mkdtempSync(join(tmpdir(), 'canvas-'));
  const settings = {
    ...withTokens,
    'tools.default_permissions': ['canvas'],
    'limits.messages_per_minute': 600,
    'media.folder': folder,
  };
  gateway = await GatewayApp.start({ agent: drawingAgent(plans) as never, clock, settings });
  client = await gateway.connect('c', TOKENS.alice);
});
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What became of a message: the blocks that show surfaces, and what the agent got for each call, or the action. */
interface Answered {
  readonly sessionId: string;
  readonly blocks: readonly CanvasBlock[];
  readonly results: readonly unknown[];
  readonly said: string;
}

async function say(
  content: keyof typeof plans | 'Send it',
  changes: object = {},
  id?: string,
  turns = false,
): Promise<Answered> {
  // A surface gets at most one block a second.
  if (!turns) clock.advance(1_000);
  const message = { channel: 'test', sender: 'alice', content, ...changes };
  const sent = client.send('message_in', message, id === undefined ? {} : { id });
  const frames: SeenFrame[] = [];
  for (;;) {
    const frame = await nextOf(sent, turns);
    if (frame.type === 'error') throw new Error(JSON.stringify(frame.payload));
    if (frame.type === 'stream_block') frames.push(frame);
    if (frame.type !== 'stream_end') continue;
    const of = (type: string) => frames.filter(({ payload }) => payload['block_type'] === type).map(contentOf);
    const said = of('text').at(-1) ?? '';
    return {
      sessionId: frame.session_id ?? '',
      blocks: of('canvas').map((text) => JSON.parse(text) as CanvasBlock),
      results: said.startsWith('[') ? (JSON.parse(said) as unknown[]) : [],
      said,
    };
  }
}
const contentOf = ({ payload }: SeenFrame) => payload['content'] as string;

/** Waits for a frame about a message. With `turns` the clock runs meanwhile. */
async function nextOf(id: string, turns: boolean): Promise<SeenFrame> {
  const next = client.next(
    ({ correlation_id, type }) =>
      correlation_id === id && (type === 'error' || type === 'stream_block' || type === 'stream_end'),
  );
  let isThere = !turns;
  void next.finally(() => (isThere = true)).catch(() => {});
  while (!isThere) {
    // Real time for the store's thread: otherwise hours pass on the clock while it works.
    await new Promise((resolve) => setTimeout(resolve, 1));
    clock.advance(10);
  }
  return next;
}

const act = (version: number, changes: object = {}) => ({
  metadata: { canvas: { surface_id: 's', version, action: 'send', context: { name: 'Ada' }, ...changes } },
});

async function open(sessionId: string, surfaceId = 'p', asking = client) {
  const id = asking.send('canvas_open', { surface_id: surfaceId }, { session_id: sessionId });
  return asking.answerTo(id);
}

describe('the canvas', () => {
  it('[Y-04] shows each state as a whole, with its version, in the commit of the result of its call', async () => {
    const { blocks, results } = await say('form');
    expect(results).toEqual([{ surface_id: 's', version: 1, readers: 1 }]);
    expect(blocks).toMatchObject([{ surface_id: 's', version: 1, since: 1, kind: 'a2ui', title: 'A form' }]);
    expect(blocks[0]?.messages?.map((message) => Object.keys(message as object)[1])).toEqual([
      'createSurface',
      'updateComponents',
      'updateDataModel',
    ]);
    const updated = await say('update');
    expect(updated.blocks).toMatchObject([{ version: 2, since: 1, title: 'A form' }]);
    expect(JSON.stringify(updated.blocks)).toContain('And now?');
    const closed = await say('close');
    expect(closed.blocks).toEqual([
      { surface_id: 's', version: 3, since: 1, kind: 'a2ui', title: 'A form', closed: true },
    ]);
    expect((await say('close')).results).toEqual([expect.stringContaining('there is no open surface s')]);
    expect((await say('form')).blocks).toMatchObject([{ version: 4, since: 4 }]);
  });

  it('[Y-02] leaves a surface as it was when a change is refused', async () => {
    await say('form');
    const { results, blocks } = await say('cycle');
    expect(results).toEqual([expect.stringContaining('contains itself')]);
    expect(blocks).toEqual([]);
    expect((await say('read')).results).toMatchObject([{ surfaces: [{ version: 1, components: { title: 'Text' } }] }]);
  });

  it('[Y-03] refuses what would freeze a client before it is stored', async () => {
    const { results, blocks } = await say('trees');
    expect(results.filter((result) => typeof result === 'string')).toHaveLength(5);
    expect(blocks).toHaveLength(1);
  });

  it('[Y-05] gives a surface at most one block a second', async () => {
    await say('form');
    const before = clock.elapsed();
    expect((await say('both', {}, undefined, true)).blocks).toMatchObject([{ version: 2 }, { version: 3 }]);
    expect(clock.elapsed() - before).toBeGreaterThanOrEqual(2_000);
  });

  it('[Y-05] bounds surfaces, pages and what is entered', async () => {
    expect((await say('huge')).results).toEqual([expect.stringContaining('html has 2097152 bytes; at most 1048576')]);
    expect((await say('heavy')).results).toEqual([expect.stringContaining('bytes of A2UI; at most 262144')]);
    const { results, sessionId } = await say('many');
    expect(results.slice(0, 20)).toMatchObject(Array.from({ length: 20 }, () => ({ version: 1 })));
    expect(results[20]).toMatch(/this conversation has 20 surfaces, which is the limit/);
    const state = { surface_id: 'p0', version: 1, data: { text: 'x'.repeat(65_536) } };
    const id = client.send('canvas_state', state, { session_id: sessionId });
    expect((await client.answerTo(id)).payload).toMatchObject({ code: 'INVALID_PAYLOAD' });
  });

  it('[Y-05] keeps a large page out of the call that a history shows, so that the surface stays in it', async () => {
    const { sessionId, blocks } = await say('large');
    const id = client.send('history', { limit: 10 }, { session_id: sessionId });
    const { payload } = await client.answerTo(id);
    const [message] = payload['messages'] as { readonly blocks: readonly { readonly content: string }[] }[];
    expect(message?.blocks.map(({ content }) => content)).toContain(JSON.stringify(blocks[0]));
    expect(JSON.stringify(message).length).toBeLessThan(4_096);
  });

  it('[Y-02] warns of what stays blank', async () => {
    const { results } = await say('blank');
    expect(results).toMatchObject([
      {
        warnings: [
          expect.stringContaining('has no options') as string,
          expect.stringContaining('min that is not below its max') as string,
          `picture shows ${NO_FILE}, which is not a file of this conversation`,
        ],
      },
    ]);
  });

  it('[Y-02] says which parameters fit a kind', async () => {
    expect((await say('wrong')).results).toEqual([
      expect.stringMatching(/a surface of kind html takes html|must not have fewer/),
      expect.stringContaining('there is no open surface s'),
      expect.stringContaining('a surface of kind a2ui takes messages'),
    ]);
  });

  it('[Y-01] takes an action on the newest state once, and refuses one on an older', async () => {
    await say('form');
    const first = await say('Send it', act(1), 'press-1');
    expect(first.said).toBe('action {"surface_id":"s","version":1,"action":"send","context":{"name":"Ada"}}');
    await say('update');
    await expect(say('Send it', act(1), 'press-2')).rejects.toThrow('this has changed');
    await expect(say('Send it', act(2, { action: '' }))).rejects.toThrow('/metadata/canvas/action');
    await expect(say('Send it', act(2, { surface_id: 'none' }))).rejects.toThrow('this has changed');
    const again = client.send(
      'message_in',
      { channel: 'test', sender: 'alice', content: 'Send it', ...act(1) },
      { id: 'press-1' },
    );
    const isAck = (frame: SeenFrame) => frame.correlation_id === again && frame.type === 'message_ack';
    expect((await client.next(isAck)).payload).toMatchObject({ status: 'queued' });
    expect((await client.next(isAck)).payload).toMatchObject({ status: 'duplicate' });
    await say('close');
    await expect(say('Send it', act(2), 'press-3')).rejects.toThrow('this has changed');
  });

  it('[Y-06] keeps what a person enters for the agent, from users and operators only', async () => {
    const { sessionId } = await say('form');
    const about = { session_id: sessionId };
    client.send('canvas_state', { surface_id: 's', version: 1, data: { name: 'Ad' } }, about);
    await client.answerTo(client.send('ping'));
    clock.advance(500);
    client.send('canvas_state', { surface_id: 's', version: 1, data: { name: 'Ada' } }, about);
    const tooSoon = client.send('canvas_state', { surface_id: 's', version: 1, data: { name: 'Adam' } }, about);
    expect((await client.answerTo(tooSoon)).payload).toMatchObject({ code: 'RATE_LIMITED' });
    expect((await say('read')).results).toMatchObject([
      { surfaces: [{ data: { name: '' }, entered: { data: { name: 'Ada' }, version: 1 } }] },
    ]);
    const bob = await gateway.connect('b', TOKENS.bob);
    for (const [asking, code] of [
      [bob, 'NOT_FOUND'],
      [await gateway.connect('d', TOKENS.driver), 'FORBIDDEN'],
      [await gateway.connect('x', TOKENS.stranger), 'NOT_FOUND'],
      [await gateway.connect('r', TOKENS.reader), 'FORBIDDEN'],
    ] as const) {
      const id = asking.send('canvas_state', { surface_id: 's', version: 1, data: {} }, about);
      expect((await asking.answerTo(id)).payload).toMatchObject({ code });
      expect((await open(sessionId, 's', asking)).payload).toMatchObject({ code });
    }
  });
});

describe('what a reader cannot draw', () => {
  it('[Y-13] is read by the agent with the surface, once each, for the newest state alone', async () => {
    const { sessionId } = await say('page');
    const about = { session_id: sessionId };
    const report = (version: number, problem: string) =>
      client.send('canvas_problem', { surface_id: 'p', version, problem }, about);
    for (const problem of ['x is not defined (line 3)', 'x is not defined (line 3)', 'b', 'c', 'd', 'e', 'f'])
      report(1, problem);
    report(2, 'of a state that is not there');
    await client.answerTo(client.send('ping'));
    const problems = ['x is not defined (line 3)', 'b', 'c', 'd', 'e'];
    expect((await say('readPage')).results).toMatchObject([{ surfaces: [{ version: 1, problems }] }]);
    expect((await say('newPage')).results).toMatchObject([{ version: 2, problems_before: problems }]);
    report(1, 'late');
    expect(JSON.stringify((await say('readPage')).results)).not.toContain('problems');
    for (const [asking, code] of [
      [await gateway.connect('b', TOKENS.bob), 'NOT_FOUND'],
      [await gateway.connect('r', TOKENS.reader), 'FORBIDDEN'],
    ] as const) {
      const id = asking.send('canvas_problem', { surface_id: 'p', version: 2, problem: 'x' }, about);
      expect((await asking.answerTo(id)).payload).toMatchObject({ code });
    }
    const odd = client.send('canvas_problem', { surface_id: 'p', version: 2, problem: 'two\nlines' }, about);
    expect((await client.answerTo(odd)).payload).toMatchObject({ code: 'INVALID_PAYLOAD' });
  });
});

describe('a page for people elsewhere', () => {
  it('[Y-07] has a link of a day where the gateway has a public address', async () => {
    const admin = { authorization: `Bearer ${TOKENS.owner}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ version: 0, changes: { 'gateway.public_url': gateway.url } });
    const path = `${gateway.url}/admin/v1/config`;
    expect((await fetch(path, { method: 'PATCH', headers: admin, body })).status).toBe(200);
    const sent = client.send('message_in', { channel: 'test', sender: 'alice', content: 'page' });
    const isOf = ({ correlation_id, payload }: SeenFrame) =>
      correlation_id === sent && payload['block_type'] === 'canvas';
    const { url } = (await client.next(isOf)).payload['metadata'] as { readonly url: string };
    expect(url).toMatch(new RegExp(`^${gateway.url}/canvas/p/[\\w-]{43}$`));
    clock.advance(86_000_000);
    expect(await (await fetch(`${url}/page`)).text()).toContain('<h1>Hello</h1>');
    clock.advance(1_000_000);
    expect((await fetch(`${url}/page`)).status).toBe(404);
  });
});

describe('the address of a page', () => {
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${gateway.url}/${path}`, { headers, redirect: 'manual' });

  it('[Y-07] serves the page to a frame alone, without network, origin and cache, for ten minutes', async () => {
    const { sessionId } = await say('page');
    const { payload } = await open(sessionId);
    expect(payload).toMatchObject({ surface_id: 'p', version: 1, expires_at: clock.now() + 600_000 });
    const url = payload['url'] as string;
    expect(url).toMatch(/^canvas\/p\/[\w-]{43}$/);
    const page = await get(`${url}/page`, { 'sec-fetch-dest': 'iframe' });
    expect(await page.text()).toContain('<h1>Hello</h1>');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'self'");
    expect(policy).toMatch(/sandbox allow-scripts$/);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const alone = await get(`${url}/page`, { 'sec-fetch-dest': 'document' });
    expect([alone.status, new URL(alone.headers.get('location') ?? '', alone.url).pathname]).toEqual([302, `/${url}`]);
    expect((await get(`${url}/page`)).status).toBe(200);
    clock.advance(600_001);
    expect((await get(`${url}/page`)).status).toBe(404);
    expect((await get(url)).status).toBe(404);
  });

  it('[Y-07] is for one surface and one version of it', async () => {
    const { sessionId } = await say('page');
    const url = (await open(sessionId)).payload['url'] as string;
    const [, , capability = ''] = url.split('/');
    expect((await get(`canvas/q/${capability}/page`)).status).toBe(404);
    expect((await get(`canvas/p/${'A'.repeat(43)}/page`)).status).toBe(404);
    await say('changed');
    expect((await get(`${url}/page`)).status).toBe(404);
    const next = (await open(sessionId)).payload['url'] as string;
    expect(await (await get(`${next}/page`)).text()).toContain('<h1>Changed</h1>');
  });

  it('[Y-07] is given to who has a credential for the conversation, and deletes nothing but the page before', async () => {
    const { sessionId, blocks } = await say('page');
    const ask = (token?: string) =>
      get(`canvas/p?session_id=${sessionId}`, token === undefined ? {} : { authorization: `Bearer ${token}` });
    const given = await ask(TOKENS.alice);
    expect(given.status).toBe(302);
    const led = new URL(given.headers.get('location') ?? '', `${gateway.url}/canvas/p`);
    expect(await (await get(`${led.pathname.slice(1)}/page`)).text()).toContain('Hello');
    expect((await ask()).status).toBe(401);
    expect((await ask(TOKENS.bob)).status).toBe(404);
    expect((await ask(TOKENS.stranger)).status).toBe(404);
    const media = (id: unknown) => get(`media/${String(id)}`, { authorization: `Bearer ${TOKENS.alice}` });
    const direct = await media(blocks[0]?.media_id);
    expect(direct.status).toBe(200);
    expect(direct.headers.get('content-disposition')).toBe('attachment');
    await say('changed');
    expect((await media(blocks[0]?.media_id)).status).toBe(404);
  });
});

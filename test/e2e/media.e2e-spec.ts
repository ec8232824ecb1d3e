import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { MediaService } from '../../src/core/media/media.service.js';
import { ManualClock } from '../../src/testing/index.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

/** The smallest PNG: one pixel. */
const PNG = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);

let folder: string;
let gateway: GatewayApp;
let clock: ManualClock;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'media-'));
  clock = new ManualClock();
  gateway = await GatewayApp.start({
    clock,
    settings: { ...withTokens, 'media.folder': folder, 'media.max_bytes': 1_000 },
  });
});
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

const filesIn = () =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    : [];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const upload = async (body: Uint8Array<ArrayBuffer> | string, token: string = TOKENS.alice) => {
  const response = await fetch(`${gateway.url}/media`, { method: 'POST', headers: bearer(token), body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const download = (id: unknown, token: string) =>
  fetch(`${gateway.url}/media/${String(id)}`, { headers: bearer(token) });

describe('media', () => {
  it('[O-10] is stored with the type of its content, and can be read by its uploader', async () => {
    const { status, body } = await upload(PNG);
    expect([status, body]).toEqual([
      201,
      { media_id: expect.stringMatching(/^f_/) as string, mime_type: 'image/png', size_bytes: PNG.length },
    ]);
    const response = await download(body['media_id'], TOKENS.alice);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(PNG);
    expect(response.headers.get('content-type')).toBe('image/png');
  });

  it('[O-11] is refused when it is too large, empty, or of a type that is not allowed by its content', async () => {
    expect((await upload(new Uint8Array([...PNG, ...new Uint8Array(1_000)]))).status).toBe(413);
    expect((await upload('')).status).toBe(415);
    expect((await upload(new Uint8Array([0, 1, 2, 3]))).status).toBe(415);
    expect((await upload('PK\u0003\u0004................')).status).toBe(415);
    expect(filesIn()).toEqual([]);
  });

  it('[O-11] is refused without harm to the next request on its connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = async (body: Uint8Array) => {
      const options = { method: 'POST', headers: bearer(TOKENS.alice), agent };
      const sent = request(`${gateway.url}/media`, options).end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return [response.statusCode, sent.reusedSocket];
    };
    expect(await send(new Uint8Array(900_000).fill(1))).toEqual([413, false]);
    expect(await send(PNG)).toEqual([201, true]);
    agent.destroy();
  });

  it('[O-11] is refused when it comes as a form, with what to send', async () => {
    const form = new FormData();
    form.set('file', new Blob([PNG]), 'one.png');
    for (const body of [form, new URLSearchParams({ file: 'x' })]) {
      const response = await fetch(`${gateway.url}/media`, { method: 'POST', headers: bearer(TOKENS.alice), body });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ detail: expect.stringContaining('without a form') as string });
    }
    expect(filesIn()).toEqual([]);
  });

  it('[O-12] is never served as something that a browser executes', async () => {
    for (const source of [
      '<html><script>alert(1)</script></html>',
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    ]) {
      const { body } = await upload(source);
      const response = await download(body['media_id'], TOKENS.alice);
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(response.headers.get('content-disposition')).toBe('attachment');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('content-security-policy')).toContain('sandbox');
    }
  });

  it('[O-13] can be read only by callers who may read the session of its message', async () => {
    const { body } = await upload(PNG);
    const id = body['media_id'] as string;
    for (const token of [TOKENS.bob, TOKENS.operator, TOKENS.stranger])
      expect((await download(id, token)).status).toBe(404);
    const alice = await gateway.connect('a', TOKENS.alice);
    alice.send(
      'message_in',
      { channel: 'test', sender: 'alice', content: '', attachments: [{ kind: 'image', media_id: id }] },
      { id: 'm' },
    );
    await alice.next('stream_end');
    expect((await download(id, TOKENS.operator)).status).toBe(200);
    for (const token of [TOKENS.bob, TOKENS.stranger]) expect((await download(id, token)).status).toBe(404);
    expect((await fetch(`${gateway.url}/media/${id}`)).status).toBe(401);
    expect((await download('..%2f..%2fetc%2fpasswd', TOKENS.alice)).status).toBe(404);
  });

  it('[O-13] of another uploader cannot be used in a message', async () => {
    const { body } = await upload(PNG, TOKENS.bob);
    const alice = await gateway.connect('a', TOKENS.alice);
    alice.send(
      'message_in',
      { channel: 'test', sender: 'alice', content: 'x', attachments: [{ kind: 'image', media_id: body['media_id'] }] },
      { id: 'm' },
    );
    expect((await alice.answerTo('m')).payload).toMatchObject({
      code: 'INVALID_PAYLOAD',
      details: { faults: [{ pointer: '/attachments/0/media_id' }] },
    });
  });

  it('[O-14] that no message uses within a day is deleted, other files stay with their session', async () => {
    const [kept] = [await upload(PNG), await upload('forgotten')];
    const alice = await gateway.connect('a', TOKENS.alice);
    const attachments = [{ kind: 'image', media_id: kept.body['media_id'] }];
    alice.send('message_in', { channel: 'test', sender: 'alice', content: '', attachments });
    await alice.next('message_ack');
    clock.advance(24 * 3_600_000 + 1_000);
    while (await gateway.app.get(MediaService, { strict: false }).sweep());
    expect(filesIn().map((file) => file.name)).toEqual([kept.body['media_id']]);
  });

  it('[N-12] has a quota of bytes per day for each principal, which says when it resets', async () => {
    const size = PNG.length;
    await gateway.app
      .get(ConfigStoreService, { strict: false })
      .set('limits.media_bytes_per_day', 2 * size + 1, 'test');
    const startedAt = clock.now();
    expect([(await upload(PNG)).status, (await upload(PNG)).status]).toEqual([201, 201]);
    const refused = await upload(PNG);
    expect(refused).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED', retryable: false } });
    expect(refused.body['details']).toMatchObject({ resets_at: startedAt + 24 * 3_600_000 });
    expect(filesIn()).toHaveLength(2);
    expect((await upload(PNG, TOKENS.bob)).status).toBe(201);
    clock.advance(24 * 3_600_000);
    // To the sweep of that time, a file of the machine's time is one that was left behind a day ago.
    while (await gateway.app.get(MediaService, { strict: false }).sweep());
    expect((await upload(PNG)).status).toBe(201);
  });

  it('[N-13] keeps nothing for long of an upload that a crash interrupted', async () => {
    const kept = (await upload(PNG)).body['media_id'] as string;
    const other = join(folder, kept.slice(2, 4));
    const orphan = `f_${kept.slice(2, 4)}${'0'.repeat(6)}-0000-4000-8000-${'0'.repeat(12)}`;
    for (const name of [`${orphan}.part`, orphan]) writeFileSync(join(other, name), 'left behind');
    const old = new Date(clock.now() - 2 * 3_600_000);
    for (const { name, parentPath } of filesIn()) utimesSync(join(parentPath, name), old, old);
    writeFileSync(join(other, `${orphan}1.part`), 'under way');
    utimesSync(join(other, `${orphan}1.part`), new Date(clock.now()), new Date(clock.now()));
    await gateway.app.get(MediaService, { strict: false }).reconcile();
    expect(
      filesIn()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([kept, `${orphan}1.part`].sort());
  });
});

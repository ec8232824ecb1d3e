import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { eventually } from '../support/eventually.js';
import type { FrameClient } from '../support/frame-client.js';
import { callTool, NodeApp, nextCall, OPERATOR, resultOf, sendResult } from '../support/node-app.js';
import { aCommand, type TestNode } from '../support/test-node.js';

const LAMP = 'node.kitchen-mac.lamp.set';
/** One pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let app: NodeApp;
let node: TestNode;
let line: FrameClient;
let person: FrameClient;
afterEach(() => app?.close());

/** A gateway with a connected node that has one command, and a person. */
async function start(changes: object = {}, options: Parameters<typeof NodeApp.start>[0] = {}): Promise<void> {
  app = await NodeApp.start(options);
  node = await app.pair();
  line = await node.connect([aCommand('lamp.set', changes)]);
  person = await app.person();
}

async function reconnect(changes: object = {}): Promise<void> {
  line = await node.connect([aCommand('lamp.set', changes)]);
}

describe('a call of a command', () => {
  it('[F-09] goes to the node with its session, and its result comes back and is acknowledged', async () => {
    await start();
    callTool(person, LAMP, { n: 3 });
    const call = await line.next('tool_call');
    expect(call).toMatchObject({
      session_id: expect.any(String),
      payload: { command: 'lamp.set', parameters: { n: 3 }, timeout_ms: expect.any(Number), idempotent: false },
    });
    const { call_id } = call.payload;
    const ack = await sendResult(line, call_id as string, { on: true });
    expect(ack).toMatchObject({ type: 'tool_result_ack', payload: { call_id } });
    expect(await resultOf(person)).toMatchObject({ ok: true, status: 'succeeded', content: { on: true } });
  });

  it('[F-09] is sent again under its ID after a lost connection, and its result counts once', async () => {
    await start();
    callTool(person, LAMP);
    const callId = await nextCall(line);
    line.socket.terminate();
    await reconnect();
    expect(await nextCall(line)).toBe(callId);
    expect((await sendResult(line, callId, 1)).type).toBe('tool_result_ack');
    expect((await sendResult(line, callId, 2)).type).toBe('tool_result_ack');
    expect(await resultOf(person)).toMatchObject({ ok: true, content: 1 });
    await reconnect();
    await line.answerTo(line.send('ping'));
    expect(line.unread).toEqual([]);
  });

  it('[F-09] that fails at the node ends with its reason', async () => {
    await start();
    callTool(person, LAMP);
    const error = { code: 'PERMISSION_DENIED', message: 'the camera is not allowed\u0007' };
    await line.answerTo(line.send('tool_result', { call_id: await nextCall(line), ok: false, error }));
    expect(await resultOf(person)).toMatchObject({
      ok: false,
      status: 'failed',
      content: { message: expect.stringContaining('PERMISSION_DENIED: the camera is not allowed') },
    });
  });

  it('[F-10] whose outcome the node has lost is unknown', async () => {
    await start();
    callTool(person, LAMP);
    const error = { code: 'UNKNOWN', message: 'the program ended' };
    await line.answerTo(line.send('tool_result', { call_id: await nextCall(line), ok: false, error }));
    expect(await resultOf(person)).toMatchObject({ ok: false, status: 'unknown' });
  });

  it.each([
    [false, 'unknown', 'may have taken effect'],
    [true, 'failed', 'did not answer in time'],
  ])('[F-10] of a node that never comes back in time (idempotent: %s) ends as %s', async (idempotent, status, text) => {
    const clock = new ManualClock(Date.now());
    await start({ idempotent, timeout_ms: 5_000 }, { clock });
    callTool(person, LAMP);
    const callId = await nextCall(line);
    line.socket.terminate();
    await eventually(async () =>
      expect(await (await app.admin('GET')).json()).toMatchObject({ items: [{ state: 'away' }] }),
    );
    await clock.advanceAsync(7_100);
    expect(await resultOf(person)).toMatchObject({ status, content: { message: expect.stringContaining(text) } });
    await reconnect({ idempotent, timeout_ms: 5_000 });
    expect((await sendResult(line, callId, 'late')).type).toBe('tool_result_ack');
    expect(line.unread.filter(({ type }) => type === 'tool_call')).toEqual([]);
  });

  it('[F-11] of a cancelled turn is cancelled at the node, and its late result is acknowledged and dropped', async () => {
    await start();
    const messageId = callTool(person, LAMP);
    const callId = await nextCall(line);
    person.send('cancel', { message_id: messageId });
    expect((await line.next('tool_cancel')).payload).toEqual({ call_id: callId });
    expect((await person.next('stream_end')).payload['reason']).toBe('cancelled');
    expect((await sendResult(line, callId, 'late')).type).toBe('tool_result_ack');
  });

  it('[F-11] is cancelled at the node when it takes too long', async () => {
    const clock = new ManualClock(Date.now());
    await start({ timeout_ms: 5_000 }, { clock });
    callTool(person, LAMP);
    const callId = await nextCall(line);
    await clock.advanceAsync(7_100);
    expect((await line.next('tool_cancel')).payload).toEqual({ call_id: callId });
    expect(await resultOf(person)).toMatchObject({ status: 'unknown' });
  });

  it('[F-11] that was never made, or is that of another node, takes no result', async () => {
    await start();
    const other = await app.pair();
    const otherLine = await other.connect([aCommand('lamp.set')]);
    callTool(person, LAMP);
    const callId = await nextCall(line);
    for (let n = 0; n < 50; n++) expect((await sendResult(line, `made-up-${n}`, n)).type).toBe('tool_result_ack');
    expect((await sendResult(otherLine, callId, 'forged')).type).toBe('tool_result_ack');
    await sendResult(line, callId, 'true');
    expect(await resultOf(person)).toMatchObject({ content: 'true' });
  });

  it('shows its progress, at most once a second', async () => {
    await start();
    callTool(person, LAMP);
    const call_id = await nextCall(line);
    for (const detail of ['waiting for permission', 'too soon'])
      line.send('node_event', { call_id, event: 'progress', data: { detail } });
    await line.answerTo(line.send('ping'));
    await sendResult(line, call_id, null);
    await resultOf(person);
    const details = person.unread.filter(({ payload }) => payload['status'] === 'progress');
    expect(details.map(({ payload }) => payload['detail'])).toEqual(['waiting for permission']);
  });

  it('of a page that is not in front ends at once, unless it is idempotent', async () => {
    await start();
    callTool(person, LAMP);
    await nextCall(line);
    line.send('node_event', { event: 'node.hidden' });
    expect(await resultOf(person)).toMatchObject({ status: 'unknown' });
    callTool(person, LAMP);
    expect(await resultOf(person)).toMatchObject({
      status: 'failed',
      content: { message: expect.stringContaining('the page is not in front on Kitchen Mac') },
    });
    line.send('node_event', { event: 'node.visible' });
    callTool(person, LAMP);
    await nextCall(line);
  });
});

describe('the content of a call', () => {
  const upload = (callId: string | undefined, body: Uint8Array<ArrayBuffer> = PNG) =>
    fetch(`${app.url}/media${callId === undefined ? '' : `?call_id=${callId}`}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node.makeCredential()}` },
      body,
    });

  it('[F-13] is uploaded to the session of a call under way, and of no other', async () => {
    await start();
    callTool(person, LAMP);
    const callId = await nextCall(line);
    for (const id of [undefined, 'made-up']) expect((await upload(id)).status).toBe(403);
    const response = await upload(callId);
    expect(response.status).toBe(201);
    const { media_id } = (await response.json()) as { media_id: string };
    await sendResult(line, callId, { media_id });
    expect(await resultOf(person)).toMatchObject({ content: { media_id } });
    const headers = { authorization: `Bearer ${OPERATOR}` };
    expect((await fetch(`${app.url}/media/${media_id}`, { headers })).status).toBe(200);
    expect((await upload(callId)).status).toBe(403);
  });

  it('[F-13] of 50 MB is refused, and the gateway stays well', async () => {
    await start();
    callTool(person, LAMP);
    const callId = await nextCall(line);
    const response = await upload(callId, Buffer.concat([PNG, Buffer.alloc(50_000_000)])).catch(() => undefined);
    expect([undefined, 413]).toContain(response?.status);
    await sendResult(line, callId, 'small');
    expect(await resultOf(person)).toMatchObject({ content: 'small' });
  });
});

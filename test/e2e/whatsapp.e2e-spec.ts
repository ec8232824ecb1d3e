import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { eventually } from '../support/eventually.js';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  PHONE_NUMBER_ID,
  signOf,
  statusOf,
  VERIFY_TOKEN,
  wrap,
} from '../support/fake-whatsapp.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp | undefined;
let whatsapp: FakeWhatsapp;
let logs: RecordingLogs;
let metrics: FakeMetrics;

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const ANN = '15550001001';
const CLEO = 'DE.1349120000000000002';

async function start(settings: Readonly<Record<string, unknown>> = OPEN): Promise<void> {
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const own = {
    access_token: ACCESS_TOKEN,
    phone_number_id: PHONE_NUMBER_ID,
    app_secret: APP_SECRET,
    verify_token: VERIFY_TOKEN,
    api_root: whatsapp.url,
    ...settings,
  };
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`channels.whatsapp.${key}`, value])),
    },
    logs,
    metrics,
  });
  whatsapp.target = app.url;
}

beforeEach(async () => {
  whatsapp = await FakeWhatsapp.start();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await whatsapp.close();
});

const shows = (chat: string, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = whatsapp.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'whatsapp', outcome });
const states = () => app?.app.get(ChannelManagerService, { strict: false }).states.get('whatsapp');
const messages = () => whatsapp.sent.filter((payload) => payload['status'] !== 'read');
const isUp = () => eventually(() => expect(states()?.state).toBe('connected'));
const load = (name: string) =>
  JSON.parse(
    readFileSync(`test/inputs/whatsapp/${name}.json`, 'utf8').replaceAll(
      '1795694400',
      String(Math.floor(Date.now() / 1_000)),
    ),
  ) as unknown;

describe('the channel whatsapp', () => {
  it('answers a message, and marks it as read while it writes', async () => {
    await start();
    whatsapp.write(ANN, 'hello from ann');
    await shows(ANN, 'hello from ann');
    expect(messages()).toMatchObject([{ messaging_product: 'whatsapp', recipient_type: 'individual', to: ANN }]);
    expect(messages()[0]).not.toHaveProperty('context');
    const { id } = whatsapp.write(ANN, '/blocks 2 100');
    await eventually(() => expect(messages()).toHaveLength(2));
    const marks = whatsapp.sent.filter(({ status }) => status === 'read');
    expect(marks).toMatchObject([{ message_id: id, typing_indicator: { type: 'text' } }]);
    await eventually(() => expect(whatsapp.pending).toBe(0));
    expect(parts('possibly_twice')).toBe(0);
  });

  it('answers a person who hides the number by the business-scoped ID', async () => {
    await start();
    whatsapp.deliver((load('bsuid-only-then-changed') as unknown[])[0]);
    await shows(CLEO, 'Do you open on Sunday?');
    expect(messages()).toMatchObject([{ recipient: CLEO }]);
    expect(messages()[0]).not.toHaveProperty('to');
  });

  it('shows a long reply block by block, within the limit', async () => {
    await start({ ...OPEN, streaming: 'blocks' });
    whatsapp.write(ANN, `/blocks 3 1`);
    await shows(ANN, 'block 1', 'block 2', 'block 3');
    whatsapp.write(ANN, `long ${'word '.repeat(1_500)}end`);
    await eventually(() => expect(whatsapp.read(ANN).at(-1)).toContain('end'));
    const long = whatsapp.read(ANN).slice(3);
    expect(long.length).toBeGreaterThan(1);
    expect(long.every((text) => text.length <= 4_096)).toBe(true);
    expect(long.join(' ').match(/word/g)).toHaveLength(1_500);
  });

  it('answers in a group what replies to it, and quotes it', async () => {
    await start({ ...OPEN, groups: ['group-1'] });
    whatsapp.write(ANN, 'nothing for the bot', { group_id: 'group-1' });
    const reply = { group_id: 'group-1', context: { from: '15550783001', id: 'wamid.OUT0' } };
    const { id } = whatsapp.write(ANN, 'hello', reply);
    await shows('group-1', 'hello');
    expect(messages()).toMatchObject([{ recipient_type: 'group', to: 'group-1', context: { message_id: id } }]);
  });

  it('answers what is delivered twice once', async () => {
    await start();
    const message = whatsapp.write(ANN, 'hello');
    whatsapp.deliverMessage(message);
    await shows(ANN, 'hello');
    whatsapp.deliverMessage(message);
    whatsapp.write(ANN, 'another');
    await shows(ANN, 'hello', 'another');
  });

  it('answers each number from itself, and passes over one that no account has', async () => {
    await start();
    await isUp();
    whatsapp.deliver(load('two-numbers-in-one-delivery'));
    await shows('US.1349120000000000001', 'to the shop');
    await eventually(() => expect(whatsapp.pending).toBe(0));
    expect(messages()).toHaveLength(1);
    expect(logs.entries.some(({ message }) => message.includes('no account of the channel whatsapp'))).toBe(true);
  });

  it('does not answer what the owner writes on the phone, and says that it cannot read a poll', async () => {
    await start();
    await isUp();
    for (const delivery of load('own-quote-and-echo') as unknown[]) whatsapp.deliver(delivery);
    await shows('US.1349120000000000001', 'I meant this one');
    whatsapp.deliver((load('unsupported-and-reaction-removed') as unknown[])[0]);
    await shows('US.1349120000000000001', 'I meant this one', 'I cannot read messages of this kind.');
  });

  it('responds to the handshake, with its token only', async () => {
    await start();
    const ask = async (token: string, account = 'default', challenge = '1158201444') => {
      const query = `hub.mode=subscribe&hub.challenge=${challenge}&hub.verify_token=${token}`;
      const response = await fetch(`${app?.url}/channels/whatsapp/${account}?${query}`);
      return [response.status, response.headers.get('content-type'), await response.text()];
    };
    expect(await ask(VERIFY_TOKEN)).toEqual([200, 'text/plain; charset=utf-8', '1158201444']);
    expect((await ask('another-token'))[0]).toBe(403);
    expect((await ask(VERIFY_TOKEN, 'other'))[0]).toBe(403);
    expect((await ask(VERIFY_TOKEN, 'default', '%3Cb%3E'))[0]).toBe(400);
  });

  it('[V-31] takes nothing that is not signed, too large or not JSON', async () => {
    await start();
    await isUp();
    const message = { from: ANN, id: 'wamid.1', timestamp: '1795694400', type: 'text', text: { body: 'hi' } };
    const body = JSON.stringify(wrap({ messages: [message] }));
    expect(await whatsapp.post(`${body} `, { signature: signOf(body) })).toBe(401);
    expect(await whatsapp.post(body, { signature: '' })).toBe(401);
    expect(await whatsapp.post(body, { signature: signOf(body, 'another-secret') })).toBe(401);
    expect(await whatsapp.post(body, { account: 'other' })).toBe(401);
    expect(await whatsapp.post('{')).toBe(400);
    expect(await whatsapp.post('7')).toBe(400);
    expect(await whatsapp.post(JSON.stringify({ odd: 'x'.repeat(4_194_304) }))).toBe(413);
    expect(await whatsapp.post(JSON.stringify({ ...wrap({}), odd: 'x'.repeat(3_000_000) }))).toBe(200);
    expect(await whatsapp.post('{}')).toBe(200);
    expect(whatsapp.shown).toEqual([]);
  });

  it('asks for a delivery again while the account does not run', async () => {
    whatsapp.failNext('number', { status: 503, code: 2 }, { drop: 'before' });
    await start();
    expect(await whatsapp.post(JSON.stringify(wrap({ messages: [] })))).toBe(503);
    whatsapp.write(ANN, 'hello');
    await shows(ANN, 'hello');
  });

  it('passes over items that it cannot understand', async () => {
    await start();
    await isUp();
    for (const odd of [
      {},
      { messages: 7 },
      { messages: [{}] },
      { statuses: [{}] },
      { contacts: [7], messages: [null] },
    ])
      whatsapp.deliver(wrap(odd));
    for (const odd of [{ text: 7 }, { type: 'image', image: null }, { context: 'x', type: 7 }, { timestamp: 'now' }])
      whatsapp.write(ANN, 'odd', odd);
    whatsapp.write(ANN, 'hello');
    await eventually(() => expect(whatsapp.read(ANN).at(-1)).toContain('hello'));
    expect(states()?.state).toBe('connected');
  });

  it('sends without the message that it replies to, and without markup, when they are refused', async () => {
    await start({ ...OPEN, groups: ['group-1'] });
    whatsapp.failNext('messages', { status: 400, code: 131_009 }, { status: 400, code: 100 });
    const reply = { group_id: 'group-1', context: { from: '15550783001', id: 'wamid.OUT0' } };
    whatsapp.write(ANN, 'a **bold** word', reply);
    await shows('group-1', 'a **bold** word');
    const [first, second] = messages();
    expect([first, second]).toMatchObject([{ context: {} }, { text: { body: expect.stringContaining('*bold*') } }]);
    expect(second).not.toHaveProperty('context');
  });

  it('finds what was sent by its status when the response is lost', async () => {
    await start();
    whatsapp.chaos = (method, { type }) => (method === 'messages' && type === 'text' ? { drop: 'after' } : undefined);
    whatsapp.write(ANN, 'hello');
    await shows(ANN, 'hello');
    await eventually(() => expect(parts('sent')).toBe(1));
    expect(parts('possibly_twice')).toBe(0);
    expect(messages()).toHaveLength(1);
  });

  it('gives up a part outside of the 24 hours, and says so', async () => {
    await start();
    whatsapp.chaos = (method, { type }) =>
      method === 'messages' && type === 'text' ? { status: 400, code: 131_047 } : undefined;
    whatsapp.write(ANN, 'hello');
    await eventually(() => expect(parts('dead')).toBe(1));
    const letters = await fetch(`${app?.url}/admin/v1/dead-letters`, {
      headers: { authorization: `Bearer ${TOKENS.operator}` },
    });
    expect(await letters.text()).toContain('131047 more than 24 hours have passed');
  });

  it('makes a dead letter of a message that fails later', async () => {
    await start();
    whatsapp.write(ANN, 'hello');
    await eventually(() => expect(parts('sent')).toBe(1));
    const [{ id, payload }] = whatsapp.shown as [(typeof whatsapp.shown)[0]];
    const text = JSON.stringify(load('failed-later')).replace('wamid.OUT65', id);
    whatsapp.deliver(text.replace('part:01', String(payload['biz_opaque_callback_data'])));
    await eventually(() => expect(parts('dead')).toBe(1));
    const letters = await fetch(`${app?.url}/admin/v1/dead-letters`, {
      headers: { authorization: `Bearer ${TOKENS.operator}` },
    });
    expect(await letters.text()).toContain('more than 24 hours have passed since the customer last replied');
    expect(messages()).toHaveLength(1);
  });

  it('[V-31] keeps the session of a person whose ID changes, and admits a person by any ID', async () => {
    await start({ ...OPEN, dm_policy: 'allowlist', allow_from: [ANN] });
    const both = { from: ANN, from_user_id: 'US.1349120000000000001' };
    whatsapp.write(ANN, 'hello', both);
    await shows('US.1349120000000000001', 'hello');
    whatsapp.deliver((load('bsuid-only-then-changed') as unknown[])[1]);
    whatsapp.write('US.1349120000000000009', 'still there?');
    await shows('US.1349120000000000009', 'still there?');
    const response = await fetch(`${app?.url}/health`, { headers: { authorization: `Bearer ${TOKENS.operator}` } });
    expect(await response.json()).toMatchObject({ active_sessions: 1 });
  });

  it('sends a stranger nothing but a code', async () => {
    await start({});
    whatsapp.write(CLEO, 'let me in');
    await eventually(() => expect(whatsapp.read(CLEO)).toHaveLength(1));
    expect(whatsapp.read(CLEO)[0]).toMatch(/Your code is [A-Z0-9]{8}\._?$/);
    expect(whatsapp.sent.filter((payload) => payload['status'] === 'read')).toEqual([]);
  });

  it('gives pictures and voices to the agent, whatever they say that they are', async () => {
    whatsapp.files.set('voice-1', Buffer.from(`OggS${'\0'.repeat(24)}OpusHead${'\0'.repeat(64)}`));
    whatsapp.files.set('fake.png', Buffer.from('#!/bin/sh\necho'));
    await start();
    whatsapp.write(ANN, '', { type: 'audio', audio: { id: 'voice-1', voice: true } });
    await eventually(() => expect(whatsapp.read(ANN)).not.toEqual([]));
    whatsapp.write(ANN, '', { type: 'image', image: { id: 'fake.png', caption: 'look at this' } });
    whatsapp.write(ANN, '', { type: 'image', image: { id: 'gone', caption: 'and this' } });
    await eventually(() =>
      expect(whatsapp.read(ANN).filter((text) => text.includes('I could not read'))).toHaveLength(2),
    );
    await eventually(() => expect(whatsapp.read(ANN).some((text) => text.includes('look at this'))).toBe(true));
    await eventually(() => expect(whatsapp.read(ANN).some((text) => text.includes('and this'))).toBe(true));
    expect(whatsapp.calls.filter(({ method }) => method === 'file')).toHaveLength(2);
  });

  it('sends the files of a reply', async () => {
    await start();
    whatsapp.failNext('media', { drop: 'after' });
    whatsapp.write(ANN, '/demo');
    await eventually(() => expect(whatsapp.read(ANN).at(-1)).toContain('That was one block of each type.'));
    const files = whatsapp.shown.filter(({ file }) => file);
    expect(files.map(({ payload }) => payload['type'])).toEqual(['document', 'document']);
    expect(files[0]?.text).toBe('A red dot');
    expect(files[1]?.file?.subarray(0, 4).toString()).toBe('RIFF');
    expect(parts('possibly_twice')).toBe(0);
  });

  it('ends at a token that is refused, from the beginning and later', async () => {
    await start({ ...OPEN, access_token: 'another-token-unknown' });
    await eventually(() => expect(states()?.state).toBe('error'));
    await app?.close();
    await start();
    await isUp();
    whatsapp.chaos = () => ({ status: 400, code: 190 });
    whatsapp.write(ANN, 'hello');
    await eventually(() => expect(states()?.state).toBe('error'));
    expect(parts('dead')).toBe(0);
    expect(whatsapp.shown).toEqual([]);
  });

  it('keeps its secrets out of logs, states and errors', async () => {
    whatsapp.failNext('number', { drop: 'before' });
    await start();
    await eventually(() => expect(logs.entries.some(({ message }) => message.includes('not connected'))).toBe(true));
    whatsapp.failNext('messages', { status: 429, code: 130_429, headers: { 'retry-after': '1' } });
    whatsapp.write(ANN, 'hello');
    await shows(ANN, 'hello');
    whatsapp.deliver(wrap({ statuses: [statusOf('wamid.NEVER', 'failed', 'part', { errors: [{ code: 131_026 }] })] }));
    await eventually(() => expect(whatsapp.pending).toBe(0));
    const all = inspect([logs.entries, states()], { depth: 12, showHidden: true });
    for (const secret of [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN]) expect(all).not.toContain(secret);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../src/channels/slack/accounts.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeSlack, SIGNING_SECRET } from '../support/fake-slack.js';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  PHONE_NUMBER_ID,
  signOf,
  VERIFY_TOKEN,
  wrap,
} from '../support/fake-whatsapp.js';
import { useTarget } from './target.js';

let slack: FakeSlack;
let whatsapp: FakeWhatsapp;
const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const target = useTarget({
  prepare: async () => {
    slack = await FakeSlack.start();
    whatsapp = await FakeWhatsapp.start();
    return {
      channels: {
        slack: { ...OPEN, bot_token: BOT_TOKEN, signing_secret: SIGNING_SECRET, api_root: slack.apiRoot },
        whatsapp: {
          ...{ ...OPEN, access_token: ACCESS_TOKEN, phone_number_id: PHONE_NUMBER_ID, api_root: whatsapp.url },
          ...{ app_secret: APP_SECRET, verify_token: VERIFY_TOKEN },
        },
      },
    };
  },
});
afterAll(async () => {
  await slack.close();
  await whatsapp.close();
});
beforeAll(async () => {
  await eventually(async () => {
    const items = (await target.admin().get('channels')).body.items ?? [];
    expect(items.map(({ state }) => state)).toEqual(['connected', 'connected']);
  });
});

const post = async (path: string, headers: Record<string, string>, body: string) =>
  (await target.request(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }))
    .status;
const nowS = () => Math.floor(Date.now() / 1_000);
const ANN = 'U0ANN0001';

describe('a delivery of Slack', () => {
  const event = () =>
    JSON.stringify(
      slack.wrap({
        type: 'message',
        channel: `D${ANN}`,
        channel_type: 'im',
        user: ANN,
        ts: slack.nextTs(),
        text: 'hello',
      }),
    );
  const deliver = (
    body: string,
    changes: { time?: string; signature?: string; sent?: string; account?: string } = {},
  ) => {
    const { time = String(nowS()), sent = body, account = 'default' } = changes;
    const signature = changes.signature ?? sign(SIGNING_SECRET, time, Buffer.from(body));
    return post(
      `/channels/slack/${account}/events`,
      { 'x-slack-request-timestamp': time, 'x-slack-signature': signature },
      sent,
    );
  };

  it('[SE-06] counts by its signature over the exact bytes and a time of now, not otherwise', async () => {
    const body = event();
    const good = sign(SIGNING_SECRET, String(nowS()), Buffer.from(body));
    expect(await deliver(body, { signature: '' })).toBe(401);
    expect(await deliver(body, { signature: 'v0=' })).toBe(401);
    expect(await deliver(body, { signature: good.slice(0, -1) })).toBe(401);
    expect(await deliver(body, { signature: good.toUpperCase() })).toBe(401);
    expect(await deliver(body, { signature: good.replace('v0', 'v1') })).toBe(401);
    expect(await deliver(body, { signature: sign('another', String(nowS()), Buffer.from(body)) })).toBe(401);
    expect(await deliver(body, { sent: `${body} ` })).toBe(401);
    expect(await deliver(body, { sent: body.replace('hello', 'hellO') })).toBe(401);
    for (const time of [nowS() - 301, nowS() + 400, 0, -1, NaN, Infinity])
      expect([time, await deliver(body, { time: String(time) })]).toEqual([time, 401]);
    for (const time of ['', 'now', '1e9', `+${nowS()}`, `${nowS()}.0`, `0x${nowS().toString(16)}`])
      expect([time, await deliver(body, { time, signature: good })]).toEqual([time, 401]);
    for (const account of ['other', '__proto__', 'constructor', '..%2fdefault', 'DEFAULT'])
      expect([account, [401, 404].includes(await deliver(body, { account }))]).toEqual([account, true]);
    expect(slack.read(`D${ANN}`)).toEqual([]);
  });

  it('[SE-06] that is repeated is one message', async () => {
    const body = event();
    for (let n = 0; n < 3; n++) expect(await deliver(body)).toBe(200);
    await expect.poll(() => slack.read(`D${ANN}`)).toHaveLength(1);
  });

  it('[SE-06] that is junk with a right signature is refused as such', async () => {
    expect(await deliver('{')).toBe(400);
    expect(await deliver('x'.repeat(1_048_577))).toBe(413);
    for (const body of [
      'null',
      '[]',
      '7',
      '{}',
      '{"type":"event_callback","event":null}',
      '{"type":"event_callback","event":{"type":{}}}',
    ])
      expect([body, (await deliver(body)) < 500]).toEqual([body, true]);
  });
});

describe('a delivery of WhatsApp', () => {
  const message = () =>
    JSON.stringify(
      wrap({
        messages: [
          {
            from: '15550001001',
            id: `wamid.${crypto.randomUUID()}`,
            timestamp: String(nowS()),
            type: 'text',
            text: { body: 'hello' },
          },
        ],
      }),
    );
  const deliver = (body: string, signature = signOf(body), account = 'default') =>
    post(`/channels/whatsapp/${account}`, { 'x-hub-signature-256': signature }, body);

  it('[SE-06] counts by its signature over the exact bytes, and once', async () => {
    const body = message();
    const good = signOf(body);
    for (const signature of [
      '',
      'sha256=',
      good.slice(0, -1),
      good.replace('sha256', 'sha1'),
      signOf(body, 'another'),
      signOf(`${body} `),
    ])
      expect([signature, await deliver(body, signature)]).toEqual([signature, 401]);
    expect(await deliver(body, good, 'other')).toBe(401);
    const shown = () => whatsapp.read('15550001001');
    expect(shown()).toEqual([]);
    for (let n = 0; n < 3; n++) expect(await deliver(body)).toBe(200);
    await expect.poll(shown).toHaveLength(1);
  });

  it('[SE-06] is offered to who knows the token alone, and nothing is reflected', async () => {
    const ask = (token: string, challenge: string) =>
      target.request(
        `/channels/whatsapp/default?hub.mode=subscribe&hub.challenge=${challenge}&hub.verify_token=${token}`,
      );
    expect((await ask('another', '1')).status).toBe(403);
    const { status, text } = await ask(VERIFY_TOKEN, '%3Cscript%3E');
    expect(status).toBe(400);
    expect(text).not.toContain('<script>');
  });
});

describe('a channel without its secret', () => {
  it('[SE-06] takes no delivery at all', async () => {
    for (const path of ['/channels/telegram/default', '/channels/slack/other/events', '/channels/made-up/default'])
      expect([
        path,
        [401, 404].includes(await post(path, { 'x-telegram-bot-api-secret-token': 'x' }, '{"update_id":1}')),
      ]).toEqual([path, true]);
  });
});

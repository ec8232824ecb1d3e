import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  PHONE_NUMBER_ID,
  statusOf,
  VERIFY_TOKEN,
  wrap,
  type Failure,
} from '../../../test/support/fake-whatsapp.js';
import type { ChannelLink, Part, PartText } from '../../core/channels/driver.js';
import type { ConfigStoreService } from '../../core/config/config-store.service.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { WhatsappDriver } from './whatsapp.driver.js';
import { sign, WhatsappWebhooks } from './webhooks.js';

const ANN = '15550001001';
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

let clock: ManualClock;
let whatsapp: FakeWhatsapp;
let webhooks: WhatsappWebhooks;
let driver: WhatsappDriver;
let failed: [ref: string, reason: string][];
let files: ReadonlyMap<string, { readonly mimeType: string; readonly bytes: Buffer }>;

beforeEach(async () => {
  whatsapp = await FakeWhatsapp.start();
  clock = new ManualClock();
  [files, failed] = [new Map(), []];
  const settings = {
    access_token: ACCESS_TOKEN,
    phone_number_id: PHONE_NUMBER_ID,
    app_secret: APP_SECRET,
    verify_token: VERIFY_TOKEN,
    api_root: whatsapp.url,
  };
  const config = {
    get: (key: string) => settings[key.replace('channels.whatsapp.', '') as keyof typeof settings] as unknown,
  };
  webhooks = new WhatsappWebhooks(config as ConfigStoreService, new SilentLogs());
  driver = new WhatsappDriver(clock, webhooks);
  const link: Partial<ChannelLink> = {
    channel: 'whatsapp',
    account: 'default',
    settings,
    log: new SilentLogs().for(),
    noteTime: () => {},
    receive: async () => {},
    reportFailed: (...all) => void failed.push(all),
    openFile: async (source) => {
      const { mimeType, bytes } = files.get(source)!;
      return {
        mimeType,
        sizeBytes: bytes.length,
        body: (async function* () {
          yield bytes;
        })(),
      };
    },
  };
  await driver.start(link as never, new AbortController().signal);
});

afterEach(async () => {
  await driver.stop();
  await whatsapp.close();
});

const aPart = (text: Partial<PartText> = {}, chat = ANN): Part => ({
  id: 'part-1',
  createdAt: 0,
  place: { chat, replyTo: 'wamid.IN1' },
  texts: [{ kind: 'text', text: 'hello', ...text }],
});

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );
const fail = (...failures: Failure[]) => whatsapp.failNext('messages', ...failures);

/** Delivers a status of the part. */
async function report(status: string, more: object = {}): Promise<void> {
  const body = Buffer.from(JSON.stringify(wrap({ statuses: [statusOf('wamid.OUT9', status, 'part-1', more)] })));
  expect(await webhooks.deliver('default', sign(APP_SECRET, body), body)).toBe('stored');
}

it('the limit of a person holds back that person for longer and longer, and no other', async () => {
  const limit = { status: 400, code: 131_056 };
  const waits: unknown[] = [];
  fail(limit, limit, limit, limit);
  for (let n = 0; n < 4; n++) waits.push(await failureOf(driver.send(aPart())));
  expect(waits).toMatchObject(
    [4_000, 16_000, 64_000, 64_000].map((retryAfterMs) => ({ outcome: 'not_sent', retryAfterMs })),
  );
  expect(await driver.send(aPart({}, '15550001002'))).toMatch(/^wamid/);
  expect(await driver.send(aPart())).toMatch(/^wamid/);
  fail(limit);
  expect(await failureOf(driver.send(aPart()))).toMatchObject({ retryAfterMs: 4_000 });
});

it('the limit of the number holds back all chats for the time that the platform names', async () => {
  fail({ status: 429, code: 130_429, headers: { 'retry-after': '7' } });
  const limited = { outcome: 'not_sent', retryAfterMs: 7_000, isAccountWide: true };
  expect(await failureOf(driver.send(aPart()))).toMatchObject(limited);
});

it.each([
  [{ status: 400, code: 131_026 }, { outcome: 'refused' }],
  [
    { status: 400, code: 131_047 },
    { outcome: 'refused', message: expect.stringContaining('24 hours') as string },
  ],
  [{ status: 503, code: 131_016 }, { outcome: 'unknown' }],
  [{ status: 500, code: 1 }, { outcome: 'unknown' }],
  [{ status: 400, code: 368 }, { fault: 'misconfigured' }],
  [
    { status: 400, code: 131_048 },
    { outcome: 'not_sent', retryAfterMs: 60_000 },
  ],
  [{ status: 403, code: 10 }, { fault: 'bad_credential' }],
  [{ status: 400, code: 190 }, { fault: 'bad_credential' }],
] as const)('an error is classed by its code: %j', async (failure, expected) => {
  fail(failure);
  const failing = failureOf(driver.send(aPart()));
  if ('outcome' in expected && expected.outcome === 'unknown') {
    await expect.poll(() => whatsapp.sent.length).toBe(1);
    while ((await Promise.race([failing, clock.advanceAsync(500).then(() => 'waits')])) === 'waits');
  }
  expect(await failing).toMatchObject(expected);
});

it('a part whose response is lost is settled by its status, also by its failure', async () => {
  whatsapp.sendsStatuses = false;
  fail({ drop: 'after' }, { drop: 'after' });
  const sending = driver.send(aPart());
  await expect.poll(() => whatsapp.sent.length).toBe(1);
  await report('sent');
  expect(await sending).toBe('wamid.OUT9');
  await report('failed', { errors: [{ code: 131_026, title: 'Undeliverable' }] });
  expect(failed).toEqual([['wamid.OUT9', '131026 Undeliverable']]);
  await report('delivered');
  expect(await failureOf(driver.send(aPart()))).toMatchObject({ outcome: 'refused', code: 131_026 });
});

it('a part of an earlier run is looked for as long as its status may come', async () => {
  const found = driver.lookUp(aPart());
  await clock.advanceAsync(20_000);
  await report('delivered');
  expect(await found).toEqual({ ref: 'wamid.OUT9' });
  clock.advance(30_000);
  expect(await driver.lookUp({ ...aPart(), id: 'part-2' })).toBeUndefined();
});

it('a picture is sent as one, and sound that WhatsApp does not play as a document', async () => {
  files = new Map([
    ['a', { mimeType: 'image/png', bytes: PNG }],
    ['b', { mimeType: 'audio/wav', bytes: PNG }],
    ['c', { mimeType: 'image/png', bytes: Buffer.alloc(5_000_001) }],
  ]);
  for (const source of ['a', 'b', 'c'])
    await driver.send(aPart({ kind: 'image', source, text: '[image]', alt: 'A dot' }));
  expect(whatsapp.shown.map(({ text, file, payload }) => [payload['type'], text, file?.length])).toEqual([
    ['image', 'A dot', 8],
    ['document', 'A dot', 8],
    ['document', 'A dot', 5_000_001],
  ]);
});

it('a part has buttons, and commands in their place when its text is too long for them', async () => {
  const buttons = [
    { text: 'Allow', data: 'a:ap_1' },
    { text: 'Deny', data: 'd:ap_1' },
  ];
  await driver.send({ ...aPart(), buttons });
  for (const length of [2_000, 4_096]) await driver.send({ ...aPart({ text: 'x'.repeat(length) }), buttons });
  const [short, ...long] = whatsapp.sent;
  expect(short?.['interactive']).toEqual({
    type: 'button',
    body: { text: 'hello' },
    action: {
      buttons: [
        { type: 'reply', reply: { id: 'a:ap_1', title: 'Allow' } },
        { type: 'reply', reply: { id: 'd:ap_1', title: 'Deny' } },
      ],
    },
  });
  for (const { text } of long as { text: { body: string } }[]) {
    expect(text.body).toMatch(/x…?\nAllow: \/approve ap_1\nDeny: \/deny ap_1$/);
    expect(text.body.length).toBeLessThanOrEqual(4_096);
  }
});

it('a block of code that is too long for a message is sent as a file', async () => {
  files = new Map([['code', { mimeType: 'text/plain', bytes: Buffer.from('let a = 1;') }]]);
  await driver.send(aPart({ kind: 'file', text: '[code]', name: 'code.ts', source: 'code' }));
  expect(whatsapp.shown[0]?.payload).toMatchObject({ type: 'document', document: { filename: 'code.ts' } });
  expect(whatsapp.shown[0]?.file?.toString()).toBe('let a = 1;');
});

it('a chat without messages has a place', async () => {
  expect(await driver.findPlace({ sender: 'US.1' })).toEqual({ chat: 'US.1' });
  expect(await driver.findPlace({ groupId: 'group-1' })).toEqual({ chat: 'group-1', isGroup: true });
});

it('typing is shown once for each 20 seconds, and not in groups', async () => {
  for (const wait of [0, 4_000, 16_000]) {
    clock.advance(wait);
    await driver.showTyping({ chat: ANN, replyTo: 'wamid.IN1' });
  }
  await driver.showTyping({ chat: 'group-1', replyTo: 'wamid.IN1', isGroup: true });
  expect(whatsapp.sent).toHaveLength(2);
});

it('a file of another host than the platform’s is not fetched', async () => {
  whatsapp.chaos = (method) => (method === 'url' ? { status: 200, code: 0 } : undefined);
  await expect(
    driver.read([
      {
        id: 'whatsapp:1',
        sender: ANN,
        place: { chat: ANN },
        sentAt: 0,
        raw: {
          message: { type: 'image', image: { id: 'x' } },
          name: 'Ann',
          ownNumber: '1',
          person: { number: ANN },
        },
      },
    ]),
  ).resolves.toMatchObject({ note: expect.stringContaining('not one of WhatsApp') as string });
});

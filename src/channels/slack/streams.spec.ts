import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { APP_TOKEN, BOT_TOKEN, FakeSlack } from '../../../test/support/fake-slack.js';
import { cut } from '../../core/channels/outbound/cut.js';
import type { ChannelLink, Part } from '../../core/channels/driver.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { SlackAccounts } from './accounts.js';
import { MAX_LENGTH, measure } from './markup.js';
import { SlackDriver } from './slack.driver.js';
import type { SlackSettings } from './slack.settings.js';

const ANN = 'U0ANN0001';
const DIRECT = `D${ANN}`;
const TEAM_CHANNEL = 'C0TEAM001';

let slack: FakeSlack;
let clock: ManualClock;
let driver: SlackDriver;
let drivers: SlackDriver[];
let thread: string;

beforeEach(async () => {
  slack = await FakeSlack.start();
  clock = new ManualClock();
  drivers = [];
  driver = await start();
  thread = slack.nextTs();
  for (const channel of [DIRECT, TEAM_CHANNEL])
    slack.keep({ type: 'message', channel, user: ANN, ts: thread, text: 'above' });
});
afterEach(async () => {
  for (const one of drivers) await one.stop();
  expect(slack.faults).toEqual([]);
  await slack.close();
});

async function start(): Promise<SlackDriver> {
  const link = {
    channel: 'slack',
    account: 'default',
    settings: { bot_token: BOT_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot, reply_in_thread: true },
    log: new SilentLogs().for(),
    listChats: async () => [],
    noteTime: () => {},
    degrade: () => {},
    fail: () => {},
  } as unknown as ChannelLink<SlackSettings>;
  const made = new SlackDriver(clock, new SlackAccounts());
  drivers.push(made);
  await made.start(link, new AbortController().signal);
  return made;
}

/** A part of a reply to Ann in a thread that grows. */
const show = (text: string, more: Partial<Part> = {}): Part => ({
  id: 'm_1.0',
  createdAt: Date.now(),
  place: { chat: TEAM_CHANNEL, thread, person: ANN, isGroup: true },
  texts: [{ kind: 'markdown', text }],
  isGrowing: true,
  ...more,
});
const last = (text: string) => show(text, { isGrowing: false });
const shown = (chat = TEAM_CHANNEL) => slack.shown(chat).map(({ text, isStreaming }) => [text, isStreaming ?? false]);
const methods = () => slack.calls.map(({ method }) => method).filter((method) => method.startsWith('chat.'));

it('a reply in a thread grows by what is appended, and ends as a message that is edited', async () => {
  const ref = await driver.send(show('one'));
  await driver.edit(ref, show('one **two'));
  await driver.edit(ref, show('one **two'));
  expect(shown()).toEqual([['one **two', true]]);
  expect(slack.callsOf('chat.startStream')).toMatchObject([
    { thread_ts: thread, recipient_user_id: ANN, recipient_team_id: 'T0ACME001' },
  ]);
  expect(driver.isOpen(ref)).toBe(true);
  await driver.edit(ref, last('one **two**'));
  expect(driver.isOpen(ref)).toBe(false);
  expect(shown()).toEqual([['one *two*', false]]);
  expect(methods()).toEqual(['chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update']);
  expect(await driver.lookUp(show('other'))).toEqual({ ref });
});

it('text that is appended mentions no person, and continues a block of code', async () => {
  const code = (text: string, ...more: Part['texts']) => show('', { texts: [{ kind: 'code', text }, ...more] });
  const ref = await driver.send(code('a <!here>'));
  await driver.edit(ref, code('a <!here>\nb', { kind: 'text', text: '<@U0ANN0001>' }));
  expect(shown()).toEqual([['```\na &lt;!here&gt;\nb\n```\n\n&lt;@U0ANN0001&gt;', true]]);
});

it('a text that does not go on from what is shown ends the stream and replaces it', async () => {
  const ref = await driver.send(show('one two'));
  await driver.edit(ref, show('three'));
  await driver.edit(ref, show('three four'));
  expect(shown()).toEqual([['three four', false]]);
});

it('a stream that Slack has ended after some minutes goes on by edits, without a second copy', async () => {
  const ref = await driver.send(show('one'));
  slack.shown(TEAM_CHANNEL)[0]!.isStreaming = false;
  await driver.edit(ref, show('one two'));
  await driver.edit(ref, last('one two three'));
  expect(shown()).toEqual([['one two three', false]]);
});

it('the refusals of a text that is too long, and of a stream after five minutes, leave each text once', async () => {
  const path = new URL('../../../test/inputs/slack/edit-too-long.json', import.meta.url);
  const responses = JSON.parse(readFileSync(path, 'utf8')) as readonly { readonly body: { readonly error: string } }[];
  const [tooLong, ended] = responses.map(({ body }) => body) as [{ error: string }, { error: string }];
  const ref = await driver.send(show('one'));
  slack.shown(TEAM_CHANNEL)[0]!.isStreaming = false;
  slack.failNext('chat.appendStream', ended);
  slack.failNext('chat.update', tooLong);
  await driver.edit(ref, last('one **two**'));
  expect(shown()).toEqual([['one **two**', false]]);
  const words = 'x'.repeat(4_002);
  await expect(driver.edit(ref, last(words))).rejects.toMatchObject({ code: tooLong.error });
  const parts = cut([{ kind: 'markdown', text: words }], MAX_LENGTH, measure);
  expect(parts.map(([text]) => text?.text.length)).toEqual([3_900, 102]);
});

it('what may have been appended is not appended again', async () => {
  const ref = await driver.send(show('one'));
  slack.failNext('chat.appendStream', { drop: 'after' });
  await driver.edit(ref, show('one two'));
  expect(shown()).toEqual([['one two', false]]);
  const other = await driver.send(show('four', { id: 'm_2.0' }));
  slack.failNext('chat.appendStream', { status: 429, retryAfter: 7 });
  await expect(driver.edit(other, show('four five'))).rejects.toMatchObject({ retryAfterMs: 7_000 });
  await clock.advanceAsync(7_000);
  slack.failNext('chat.stopStream', { drop: 'after' });
  await expect(driver.edit(other, last('four five'))).rejects.toMatchObject({ outcome: 'unknown' });
  await driver.edit(other, last('four five'));
  expect(shown()).toEqual([
    ['one two', false],
    ['four five', false],
  ]);
});

it('a stream of an earlier run is found by its text and ended; what may be another is not certain', async () => {
  slack.failNext('chat.startStream', { drop: 'after' });
  await expect(driver.send(show('one & two'))).rejects.toMatchObject({ outcome: 'unknown' });
  const next = await start();
  const found = await next.lookUp(show('one & two, three'));
  expect(found).toEqual({ ref: slack.shown(TEAM_CHANNEL)[0]?.ts });
  expect(await next.lookUp(show('a reply that began again'))).toBeUndefined();
  await next.edit(String(slack.shown(TEAM_CHANNEL)[0]?.ts), show('one & two, three'));
  expect(shown()).toEqual([['one &amp; two, three', false]]);
  expect(await next.lookUp(show('four', { id: 'm_2.0' }))).toBe('absent');
});

it('a chat whose stream Slack refuses has none for an hour', async () => {
  slack.failNext('chat.startStream', { error: 'channel_type_not_supported' });
  const ref = await driver.send(show('one'));
  await driver.edit(ref, show('one two'));
  await driver.send(show('three', { id: 'm_2.0' }));
  expect(methods()).toEqual(['chat.startStream', 'chat.postMessage', 'chat.update', 'chat.postMessage']);
  await driver.send(show('other', { place: { chat: DIRECT, thread } }));
  await clock.advanceAsync(3_600_000);
  await driver.send(show('four', { id: 'm_3.0' }));
  expect(slack.callsOf('chat.startStream')).toHaveLength(3);
});

it('there is no stream without a thread, without a person in a channel, with buttons, and for what is complete', async () => {
  await driver.send(show('one', { place: { chat: DIRECT } }));
  await driver.send(show('two', { place: { chat: TEAM_CHANNEL, thread, isGroup: true } }));
  await driver.send(show('three', { buttons: [{ text: 'Approve', data: 'a:a_1' }] }));
  await driver.send(last('four'));
  expect(slack.callsOf('chat.postMessage')).toHaveLength(4);
});

it('a person of another workspace gets the stream under the ID of that workspace', async () => {
  await driver.send(show('one', { place: { chat: TEAM_CHANNEL, thread, person: `T0OTHER01/${ANN}`, isGroup: true } }));
  expect(slack.callsOf('chat.startStream')).toMatchObject([{ recipient_user_id: ANN, recipient_team_id: 'T0OTHER01' }]);
});

it('at most 15 streams are begun within a minute; other replies are edited', async () => {
  for (let n = 0; n < 20; n++) await driver.send(show('one', { id: `m_${n}.0` }));
  expect(slack.callsOf('chat.startStream')).toHaveLength(15);
  await clock.advanceAsync(60_000);
  await driver.send(show('one', { id: 'm_20.0' }));
  expect(slack.callsOf('chat.startStream')).toHaveLength(16);
});

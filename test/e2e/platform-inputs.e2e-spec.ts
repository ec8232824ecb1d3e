import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN as DISCORD_TOKEN, CHANNEL, FakeDiscord, type Payload } from '../support/fake-discord.js';
import { APP_TOKEN, BOT_TOKEN as SLACK_TOKEN, FakeSlack } from '../support/fake-slack.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const TEAM_CHANNEL = 'C0TEAM001';

let app: GatewayApp | undefined;

/** Returns what a platform has sent, as if it were sent now. @param renew returns the text of a file with present times */
function load<T>(name: string, renew: (text: string) => string): T[] {
  const text = readFileSync(new URL(`../inputs/${name}.json`, import.meta.url), 'utf8');
  const parsed = JSON.parse(renew(text)) as T | T[];
  return Array.isArray(parsed) ? parsed : [parsed];
}

async function start(channel: string, settings: object): Promise<void> {
  const own = Object.entries({ ...OPEN, ...settings }).map(([key, value]) => [`channels.${channel}.${key}`, value]);
  app = await GatewayApp.start({ settings: { ...withTokens, ...Object.fromEntries(own) } });
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('what Slack sends', () => {
  let slack: FakeSlack;
  beforeEach(async () => {
    slack = await FakeSlack.start();
    const root = { bot_token: SLACK_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot };
    await start('slack', { ...root, groups: [TEAM_CHANNEL] });
  });
  afterEach(() => slack.close());

  const minute = Math.floor(Date.now() / 1_000) - 120;
  const envelopes = (name: string) =>
    load<Payload>(`slack/${name}`, (text) =>
      text
        .replaceAll(/\b17956944(\d\d)\b/g, (_, seconds: string) => String(minute + Number(seconds)))
        .replaceAll('https://files.slack.com', `${slack.url}/files`),
    );
  /** Posts are kept as the workspace has them. Resolves when all are acknowledged. */
  async function deliver(...all: readonly Payload[]): Promise<void> {
    for (const { event } of all as readonly { readonly event: Payload }[])
      if (event['text'] !== undefined && event['bot_id'] === undefined) slack.keep(event);
    for (const envelope of all) slack.sockets.deliver('events_api', envelope);
    await eventually(() => expect(slack.sockets.waiting).toBe(0));
  }
  /** Resolves when a chat shows these replies, and nothing else before a later message is answered. */
  async function shows(channel: string, ...texts: readonly string[]): Promise<void> {
    const last = `last ${texts.length}`;
    slack.write('U0LAST001', last);
    await eventually(() => expect(slack.read('DU0LAST001').join()).toContain(last));
    await eventually(() => {
      const shown = slack.read(channel);
      expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
    });
  }

  it.each([
    ['in the order of the file', (all: readonly Payload[]) => all],
    ['in the other order', (all: readonly Payload[]) => all.toReversed()],
  ])('one post in two events is answered once, %s', async (_, order) => {
    await deliver(...order(envelopes('one-post-two-events')));
    await shows(TEAM_CHANNEL, 'status of order 17?');
    expect(slack.shown(TEAM_CHANNEL)[0]?.thread_ts).toBe(`${minute + 10}.000300`);
  });

  it('a reply in the thread of a mention is answered there', async () => {
    const [first, second] = envelopes('reply-in-thread') as [Payload, Payload];
    await deliver(first);
    await shows(TEAM_CHANNEL, 'draft the release note');
    await deliver(second);
    await shows(TEAM_CHANNEL, 'draft the release note', 'shorter, please');
    expect(slack.shown(TEAM_CHANNEL).every(({ thread_ts: ts }) => ts === `${minute + 20}.000400`)).toBe(true);
  });

  it('the preview of a link and the post of another app are acknowledged and not answered', async () => {
    await deliver(...envelopes('unfurl-is-no-edit'), ...envelopes('bot-without-subtype'));
    await shows(TEAM_CHANNEL);
  });

  it('a voice message is fetched and answered', async () => {
    const path = 'files-tmb/T0ACME001-F0FILE001-aa/download/audio_message_audio.mp4';
    slack.files.set(path, { bytes: Buffer.from('0000001c6674797069736f6d0000020069736f6d69736f32', 'hex') });
    await deliver(...envelopes('file-share'));
    await eventually(() => expect(slack.read('D0ANN0001')).toHaveLength(1));
    expect(slack.read('D0ANN0001')[0]).not.toContain('could not');
  });

  it('entities are decoded once, and written without their meaning', async () => {
    await deliver(...envelopes('entities'));
    await shows(TEAM_CHANNEL, 'is a < b && b > c? ask @bo in #dev');
    expect(slack.faults).toEqual([]);
  });
});

describe('what Discord sends', () => {
  let discord: FakeDiscord;
  beforeEach(async () => {
    discord = await FakeDiscord.start();
    discord.openThread('1575481245696000009');
    await start('discord', { bot_token: DISCORD_TOKEN, api_root: discord.apiRoot, groups: [CHANNEL] });
    await eventually(() => expect(discord.connected).toBe(1));
  });
  afterEach(() => discord.close());

  const ids = new Map<string, string>();
  const newId = (old: string) => ids.get(old) ?? ids.set(old, discord.makeId()).get(old) ?? '';
  /** Messages get present IDs; the channel and its thread keep theirs. */
  async function deliver(name: string, ...numbers: readonly number[]): Promise<void> {
    const events = load<{ readonly t: string; readonly d: Payload }>(`discord/${name}`, (text) =>
      text.replaceAll(/\b15754812456960000(?!09)\d\d\b/g, newId),
    );
    for (const { t, d } of numbers.length > 0 ? numbers.flatMap((n) => events[n] ?? []) : events) discord.deliver(t, d);
  }
  async function shows(channel: string, ...texts: readonly string[]): Promise<void> {
    discord.write('100000000000000007', 'the last one');
    await eventually(() => expect(discord.read(discord.chatOf('100000000000000007')).join()).toContain('the last one'));
    await eventually(() => {
      const shown = discord.read(channel);
      expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
    });
  }

  it('a mention of the role and a reply to the bot are answered, and a mention of everyone is not', async () => {
    await deliver('mentions');
    await shows(CHANNEL, 'what is on today?', 'and in French?');
  });

  it('a mention in a thread is answered there', async () => {
    await deliver('thread');
    await shows('1575481245696000009', 'continue here');
  });

  it('a message that a person forwards is answered', async () => {
    discord.openChannel('700000000000000001');
    await deliver('forward');
    await shows('700000000000000001', 'The meeting moves to Thursday 10:00.');
  });

  it('the preview of a link is not a message', async () => {
    await deliver('embed-is-no-edit');
    await shows(CHANNEL);
  });
});

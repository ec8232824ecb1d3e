import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BOT_ID, BOT_TOKEN as DISCORD_TOKEN, CHANNEL, FakeDiscord } from '../support/fake-discord.js';
import { APP_TOKEN, BOT_TOKEN as SLACK_TOKEN, BOT_USER, FakeSlack } from '../support/fake-slack.js';
import { buttonsOf } from '../support/fake-slack-messages.js';
import { eventually } from '../support/eventually.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';

/** A message of the bot as a chat shows it. */
interface Shown {
  readonly text: string;
  /** The data that the platform returns with a press, by the text of the button. */
  readonly buttons: ReadonlyMap<string, string>;
  press(person: string, data: string): void;
}

/** A platform with one group. */
interface Chats {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly people: readonly [asking: string, other: string, admin: string];
  /** A person asks the bot, in the group or in the direct chat. */
  ask(person: string, text: string, inGroup: boolean): void;
  /** True while a gateway gets what people write. */
  readonly isConnected: boolean;
  /** Returns the messages of the bot in the group, or in the direct chat of a person. */
  read(person: string | undefined): readonly Shown[];
  close(): Promise<void>;
}

async function startSlack(): Promise<Chats> {
  const slack = await FakeSlack.start();
  const group = 'C0TEAM001';
  slack.people.set('U0ADMIN01', { is_admin: true });
  return {
    settings: {
      'channels.slack.bot_token': SLACK_TOKEN,
      'channels.slack.app_token': APP_TOKEN,
      'channels.slack.api_root': slack.apiRoot,
      'channels.slack.dm_policy': 'open',
      'channels.slack.allow_from': ['*'],
      'channels.slack.groups': [group],
    },
    people: ['U0ANN0001', 'U0EVE0001', 'U0ADMIN01'],
    ask: (person, text, inGroup) =>
      void (inGroup
        ? slack.write(person, `<@${BOT_USER}> ${text}`, { channel: group, channel_type: 'channel' })
        : slack.write(person, text)),
    read: (person) =>
      slack.shown(person === undefined ? group : `D${person}`).map((message) => ({
        text: message.text,
        buttons: buttonsOf(message),
        press: (presser, data) => slack.press(presser, message, data),
      })),
    get isConnected() {
      return slack.sockets.connections > 0;
    },
    close: () => slack.close(),
  };
}

async function startDiscord(): Promise<Chats> {
  const discord = await FakeDiscord.start();
  const mention = { channel_id: CHANNEL, mentions: [{ id: BOT_ID, username: 'acme-helper', bot: true }] };
  return {
    settings: {
      'channels.discord.bot_token': DISCORD_TOKEN,
      'channels.discord.api_root': discord.apiRoot,
      'channels.discord.dm_policy': 'open',
      'channels.discord.allow_from': ['*'],
      'channels.discord.groups': [CHANNEL],
    },
    people: ['100000000000000001', '100000000000000002', '100000000000000003'],
    ask: (person, text, inGroup) =>
      void (inGroup ? discord.write(person, `<@${BOT_ID}> ${text}`, mention) : discord.write(person, text)),
    read: (person) =>
      discord.shown
        .filter((message) => message.channel_id === (person === undefined ? CHANNEL : discord.chatOf(person)))
        .map(({ id, content, components }) => ({
          text: content,
          buttons: new Map(components.flatMap((row) => row.components.map((one) => [one.label, one.custom_id]))),
          press: (presser, data) =>
            discord.press(presser, id, data, presser === '100000000000000003' ? { permissions: '8' } : {}),
        })),
    get isConnected() {
      return discord.connected > 0;
    },
    close: () => discord.close(),
  };
}

describe.each([
  ['Slack', startSlack],
  ['Discord', startDiscord],
])('a call that needs an approval, asked by buttons of %s', (_, startPlatform) => {
  let chats: Chats;
  let folder: string;
  let app: GatewayApp | undefined;

  beforeEach(async () => {
    chats = await startPlatform();
    folder = mkdtempSync(join(tmpdir(), 'approvals-'));
  });
  afterEach(async () => {
    await app?.close();
    await chats.close();
    rmSync(folder, { recursive: true });
  });

  async function start(more: object = {}): Promise<void> {
    const store = { 'store.url': `sqlite:${join(folder, 'gateway.db')}`, 'tools.approvals': ['session.info'] };
    app = await GatewayApp.start({ settings: { ...withTokens, ...store, ...chats.settings, ...more } });
    await eventually(() => expect(chats.isConnected).toBe(true));
  }

  const shows = (person: string, ...texts: readonly string[]) =>
    eventually(() => {
      const shown = chats.read(person).map(({ text }) => text);
      expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
    });
  /** Asks for a call. Resolves with the message that asks. */
  async function ask(inGroup: boolean): Promise<Shown> {
    const [ann] = chats.people;
    chats.ask(ann, '/tool session.info {}', inGroup);
    return findAsking(inGroup);
  }
  const findAsking = (inGroup: boolean) =>
    eventually(() => {
      const asking = chats.read(inGroup ? undefined : chats.people[0]).find(({ buttons }) => buttons.size > 0);
      expect(asking?.text).toContain('May I run session.info?');
      expect([...(asking?.buttons.keys() ?? [])]).toEqual(['Approve', 'Deny']);
      return asking as Shown;
    });
  const press = ({ buttons, press: pressAs }: Shown, person: string, label: string) =>
    pressAs(person, buttons.get(label) ?? '');
  const ended = (person: string | undefined, text: string) =>
    eventually(() => {
      const message = chats.read(person).find((one) => one.text.includes(text));
      expect([message?.text, message?.buttons.size]).toEqual([expect.stringContaining(text), 0]);
    });

  it('[V-23] is allowed in a direct chat, once, also when pressed twice', async () => {
    const [ann] = chats.people;
    await start();
    const asking = await ask(false);
    press(asking, ann, 'Approve');
    press(asking, ann, 'Approve');
    await ended(ann, 'session.info: approved');
    chats.ask(ann, 'and now', false);
    await eventually(() => expect(chats.read(ann).at(-1)?.text).toContain('and now'));
    expect(chats.read(ann)).toHaveLength(2);
    press(asking, ann, 'Deny');
    await eventually(() => expect(chats.read(ann).at(-1)?.text).toContain('It is too late'));
  });

  it('[V-23] is decided in a group by the person who asked; anybody else gets one line', async () => {
    const [ann, eve] = chats.people;
    await start();
    const asking = await ask(true);
    press(asking, eve, 'Approve');
    await eventually(() =>
      expect(chats.read(undefined).at(-1)?.text).toContain('Only the person who asked for it and admins'),
    );
    press(asking, ann, 'Deny');
    await ended(undefined, 'session.info: denied');
  });

  it('[V-23] is decided in a group by an admin', async () => {
    const [, , admin] = chats.people;
    await start();
    press(await ask(true), admin, 'Approve');
    await ended(undefined, 'session.info: approved');
  });

  it('[X-14] shows what is not seen in its arguments, or what turns them around', async () => {
    const [ann] = chats.people;
    await start({ 'tools.approvals': ['time.now'] });
    chats.ask(ann, `/tool time.now ${JSON.stringify({ time_zone: 'pay \u202e001 RUE' })}`, false);
    await eventually(() => expect(chats.read(ann).at(-1)?.text).toContain('{"time_zone":"pay ⟨U+202E⟩001 RUE"}'));
  });

  it('[V-23] that has expired is not allowed by a press', async () => {
    const [ann] = chats.people;
    await start({ 'tools.approval_timeout_ms': 1_000 });
    const asking = await ask(false);
    await ended(ann, 'session.info: denied');
    press(asking, ann, 'Approve');
    await eventually(() => expect(chats.read(ann).at(-1)?.text).toContain('It is too late'));
  });

  it('[V-23] is asked once and decided after a restart', async () => {
    const [ann] = chats.people;
    await start();
    await ask(false);
    await app?.close();
    await start();
    press(await findAsking(false), ann, 'Approve');
    await ended(ann, 'session.info: approved');
    expect(chats.read(ann).filter(({ text }) => text.includes('May I run'))).toEqual([]);
    chats.ask(ann, 'and now', false);
    await shows(ann, 'session.info: approved', 'and now');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelManagerService } from '../../src/core/channels/channel-manager.service.js';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { run } from '../../src/cli/cli.js';
import { FakePlatform } from '../../src/testing/fake-platform.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { eventually } from '../support/eventually.js';
import { FakeDiscord, BOT_TOKEN as DISCORD_TOKEN } from '../support/fake-discord.js';
import { FakeSlack, APP_TOKEN, BOT_TOKEN as SLACK_TOKEN } from '../support/fake-slack.js';
import { BOT_TOKEN, FakeTelegram } from '../support/fake-telegram.js';
import { ACCESS_TOKEN, FakeWhatsapp, OWN_NUMBER, PHONE_NUMBER_ID } from '../support/fake-whatsapp.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { PlatformModule } from '../support/platform-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp;
let telegram: FakeTelegram;
let platform: FakePlatform;
let logs: RecordingLogs;
const servers: { close(): Promise<void> }[] = [];

const WRITER = 'writer-token-0123456789ab';

beforeEach(async () => {
  telegram = await FakeTelegram.start();
  servers.push(telegram);
  platform = new FakePlatform();
  logs = new RecordingLogs();
  const tokens = withTokens['auth.tokens'] as readonly object[];
  const writer = { token: WRITER, principal: 'writer', role: 'operator', scopes: ['admin:read', 'admin:write'] };
  app = await GatewayApp.start({
    modules: [PlatformModule.on(platform)],
    logs,
    settings: {
      'auth.tokens': [...tokens, writer],
      'channels.telegram.dm_policy': 'open',
      'channels.telegram.allow_from': ['*'],
    },
  });
});
afterEach(async () => {
  await app.close();
  for (const server of servers.splice(0)) await server.close();
});

async function ask(path: string, content?: object, token: string = TOKENS.operator) {
  const response = await fetch(`${app.url}/admin/v1/channels${path}`, {
    method: content === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(content !== undefined && { body: JSON.stringify(content) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const states = () => app.app.get(ChannelManagerService, { strict: false }).states;

async function answers(text: string, to = telegram, chat = 5001): Promise<void> {
  to.write(chat, text);
  await eventually(() => expect(to.read(chat).join('\n')).toContain(text));
}

describe('a channel that is added', () => {
  it('[V-33] is checked, stored and started, and its token is never shown', async () => {
    const settings = { bot_token: BOT_TOKEN, api_root: telegram.url };
    const { status, body } = await ask('', { name: 'telegram', settings });
    expect([status, body]).toMatchObject([
      200,
      { channel: { name: 'telegram' }, speaks_as: '@acme_helper_bot', needs_restart: [] },
    ]);
    await answers('hello');
    expect(states().get('telegram')?.state).toBe('connected');
    expect(JSON.stringify([body, logs.entries])).not.toContain(BOT_TOKEN.split(':')[1]);
  });

  it('[V-33] is not stored when its platform refuses it, or cannot be asked', async () => {
    const wrong = await ask('', {
      name: 'telegram',
      settings: { bot_token: '123:wrong-token-of-telegram', api_root: telegram.url },
    });
    expect(wrong).toMatchObject({
      status: 400,
      body: { details: { faults: [{ pointer: '/settings', message: 'Telegram refuses the token: 401' }] } },
    });
    platform.isDown = true;
    expect(await ask('', { name: 'pigeon', account: 'third', settings: {} })).toMatchObject({
      status: 400,
      body: { details: { faults: [{ message: 'the platform is down' }] } },
    });
    expect([...states().keys()]).toEqual(['pigeon']);
    expect(app.app.get(ConfigStoreService, { strict: false }).version).toBe(0);
    expect((await ask('', { name: 'pigeon', account: 'third', settings: {}, unchecked: true })).status).toBe(200);
    expect([...states().keys()]).toEqual(['pigeon.third']);
  });

  it('[V-33] needs valid settings, and the scope of each of them', async () => {
    expect(await ask('', { name: 'telegram', settings: { bot_token: 'x', api_rot: 1 } })).toMatchObject({
      status: 400,
      body: { details: { faults: [{ pointer: '/settings/bot_token' }, { pointer: '/settings/api_rot' }] } },
    });
    expect((await ask('', { name: 'carrier', settings: {} })).status).toBe(404);
    const refused = await ask('', { name: 'telegram', settings: { bot_token: BOT_TOKEN } }, WRITER);
    expect(refused).toMatchObject({ status: 403, body: { details: { missing_scope: 'tokens:write' } } });
    expect(telegram.callsOf('getMe')).toEqual([]);
  });

  it('[V-33] gets other settings while it runs, and ends when they are taken back', async () => {
    await ask('', { name: 'telegram', settings: { bot_token: BOT_TOKEN, api_root: telegram.url } });
    await answers('hello');
    const other = await FakeTelegram.start();
    servers.push(other);
    await ask('', { name: 'telegram', settings: { api_root: other.url } });
    await answers('over there', other, 5002);
    const config = app.app.get(ConfigStoreService, { strict: false });
    await config.change(config.version, { 'channels.telegram.bot_token': null }, 'ann');
    await eventually(() => expect([...states().keys()]).toEqual(['pigeon']));
  });

  it('[V-33] is one of several accounts', async () => {
    const account = {
      name: 'telegram',
      account: 'support',
      settings: { bot_token: BOT_TOKEN, api_root: telegram.url },
    };
    const { body } = await ask('', account);
    expect(body).toMatchObject({ channel: { name: 'telegram.support' }, speaks_as: '@acme_helper_bot' });
    const config = app.app.get(ConfigStoreService, { strict: false });
    expect(JSON.stringify(config.list())).not.toContain(BOT_TOKEN.split(':')[1]);
  });

  it('[V-33] names the bot, the workspace or the number, and what is missing', async () => {
    const [discord, slack, whatsapp] = [await FakeDiscord.start(), await FakeSlack.start(), await FakeWhatsapp.start()];
    servers.push(discord, slack, whatsapp);
    discord.applicationFlags = 0;
    telegram.isPrivate = true;
    const added = [
      await ask('', { name: 'telegram', settings: { bot_token: BOT_TOKEN, api_root: telegram.url } }),
      await ask('', { name: 'discord', settings: { bot_token: DISCORD_TOKEN, api_root: discord.apiRoot } }),
      await ask('', {
        name: 'slack',
        settings: { bot_token: SLACK_TOKEN, app_token: APP_TOKEN, api_root: slack.apiRoot },
      }),
      await ask('', {
        name: 'whatsapp',
        settings: {
          access_token: ACCESS_TOKEN,
          phone_number_id: PHONE_NUMBER_ID,
          app_secret: 'app-secret-0123',
          verify_token: 'verify-token-0123',
          api_root: whatsapp.url,
        },
      }),
    ];
    expect(added.map(({ body }) => [body['speaks_as'], (body['remarks'] as string[]).length])).toEqual([
      ['@acme_helper_bot', 1],
      ['acme_helper', 1],
      ['acme_helper in Acme', 0],
      [`+${OWN_NUMBER}`, 1],
    ]);
  });
});

describe('openclaw channels add', () => {
  const aTerminal = (env: Record<string, string> = {}, isTTY = false) => {
    const terminal = new FakeTerminal({ OPENCLAW_URL: app.url, OPENCLAW_TOKEN: TOKENS.operator, ...env }, isTTY);
    return Object.assign(terminal, { fetch });
  };

  it('[V-33] asks a person for what the channel needs, without an echo', async () => {
    const terminal = aTerminal({}, true);
    const added = run(['channels', 'add', 'telegram', '--set', `api_root=${telegram.url}`], terminal);
    await terminal.until(() => terminal.stderr.text.includes('bot_token:'));
    terminal.type(`${BOT_TOKEN}\n`);
    expect(await added).toBe(0);
    expect(terminal.stdout.text).toMatch(/telegram speaks as @acme_helper_bot: connect/);
    expect(terminal.stderr.text).toContain('from @BotFather');
    expect(terminal.stderr.text + terminal.stdout.text).not.toContain(BOT_TOKEN);
  });

  it('[V-33] takes secrets from the environment and other settings from flags, for scripts', async () => {
    const terminal = aTerminal({ OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN: BOT_TOKEN });
    const flags = ['--account', 'support', '--set', `api_root=${telegram.url}`, '--json'];
    expect(await run(['channels', 'add', 'telegram', ...flags], terminal)).toBe(0);
    expect(JSON.parse(terminal.stdout.text)).toMatchObject({ speaks_as: '@acme_helper_bot' });
  });

  it('[V-33] a channel is checked again, for example when it does not work', async () => {
    telegram.isPrivate = true;
    await ask('', { name: 'telegram', settings: { bot_token: BOT_TOKEN, api_root: telegram.url } });
    const terminal = aTerminal();
    expect(await run(['channels', 'check', 'telegram'], terminal)).toBe(0);
    expect(terminal.stdout.text).toMatch(/telegram speaks as @acme_helper_bot\nPrivacy mode is on/);
    telegram.failNext('getMe', { status: 401, description: 'Unauthorized' });
    const refused = aTerminal();
    expect(await run(['channels', 'check', 'telegram'], refused)).toBe(1);
    expect(refused.stderr.text).toContain('Telegram refuses the token');
  });

  it('[V-33] reads what is typed by the setting: an ID stays a text', async () => {
    const whatsapp = await FakeWhatsapp.start();
    servers.push(whatsapp);
    const terminal = aTerminal({
      OPENCLAW_CHANNELS_WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
      OPENCLAW_CHANNELS_WHATSAPP_APP_SECRET: 'the-secret-of-the-app',
      OPENCLAW_CHANNELS_WHATSAPP_VERIFY_TOKEN: 'the-verify-token',
    });
    const given = [`phone_number_id=${PHONE_NUMBER_ID}`, `api_root=${whatsapp.url}`, 'allow_from=[491701234567]'];
    const args = given.flatMap((pair) => ['--set', pair]);
    expect([await run(['channels', 'add', 'whatsapp', ...args], terminal), terminal.stderr.text]).toEqual([0, '']);
    const config = app.app.get(ConfigStoreService, { strict: false });
    expect(config.get('channels.whatsapp.phone_number_id' as never)).toBe(PHONE_NUMBER_ID);
    expect(config.get('channels.whatsapp.allow_from' as never)).toEqual([491701234567]);
  });

  it('[V-33] says what is missing, and takes no secret as an argument', async () => {
    const missing = aTerminal();
    expect(await run(['channels', 'add', 'telegram'], missing)).toBe(2);
    expect(missing.stderr.text).toContain('OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN');
    const typed = aTerminal();
    expect(await run(['channels', 'add', 'telegram', '--set', `bot_token=${BOT_TOKEN}`], typed)).toBe(2);
    expect(typed.stderr.text).not.toContain(BOT_TOKEN);
    const refused = aTerminal({ OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN: '123:wrong-token-of-telegram' });
    expect(await run(['channels', 'add', 'telegram', '--set', `api_root=${telegram.url}`], refused)).toBe(1);
    expect(refused.stderr.text).toContain('Telegram refuses the token');
  });
});

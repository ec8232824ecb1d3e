import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryConnectionsService } from '../../src/core/connections/memory-connections.service.js';
import { LOCAL_OPERATOR } from '../../src/core/identity/principal.js';
import { runDriver, SlackModule, TelegramModule, type DriverProcess } from '../../src/run-driver.js';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { FakePlatform, PigeonDriver, TelegraphDriver } from '../../src/testing/fake-platform.js';
import { findFreePort, waitUntilFree } from '../../src/testing/free-port.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeTelegram } from '../support/fake-telegram.js';
import { GatewayApp, TOKENS } from '../support/gateway-app.js';
import { PlatformModule } from '../support/platform-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const DRIVER_TOKEN = 'pigeon-token-0123456789ab';

let folder: string;
let gateway: GatewayApp | undefined;
let driver: DriverProcess | undefined;
let platform: FakePlatform;
let logs: RecordingLogs;
let metrics: FakeMetrics;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'driver-'));
  platform = new FakePlatform();
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
});
afterEach(async () => {
  await driver?.stop();
  await gateway?.close();
  [driver, gateway] = [undefined, undefined];
  rmSync(folder, { recursive: true });
});

async function startGateway(settings: object = {}, port?: number): Promise<GatewayApp> {
  const tokens = [
    { token: TOKENS.operator, principal: 'operator', role: 'operator' },
    { token: DRIVER_TOKEN, principal: 'pigeons', role: 'channel', channels: ['pigeon', 'telegraph', 'telegram'] },
  ];
  const store = `sqlite:${join(folder, 'gateway.db')}`;
  const all = { 'auth.tokens': tokens, 'store.url': store, ...settings };
  return (gateway = await GatewayApp.start({ settings: all, ...(port !== undefined && { port }) }));
}

async function startDriver(kind: typeof PigeonDriver | typeof TelegraphDriver = PigeonDriver): Promise<void> {
  const channel = kind === PigeonDriver ? 'pigeon' : 'telegraph';
  driver = await runDriver({
    modules: [PlatformModule.on(platform, kind)],
    folder,
    logs,
    metrics,
    settings: {
      'driver.gateway_url': `ws://127.0.0.1:${gateway?.port}`,
      'driver.token': DRIVER_TOKEN,
      'store.url': `sqlite:${join(folder, 'driver.db')}`,
      [`channels.${channel}.dm_policy`]: 'open',
      [`channels.${channel}.allow_from`]: ['*'],
    },
  });
}

const shows = (chat: string, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = platform.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const state = (channel = 'pigeon') => driver?.channels.states.get(channel);
const doubts = () =>
  metrics.read('openclaw_channel_parts_total', { channel: 'pigeon', outcome: 'possibly_twice' }) ?? 0;

describe('a driver in a process of its own', () => {
  it.each([
    ['telegram', TelegramModule, { 'channels.telegram.webhook_url': 'https://acme.example/channels/telegram/default' }],
    ['slack', SlackModule, { 'channels.slack.signing_secret': 'a'.repeat(32) }],
  ] as const)(
    '[V-32] is refused at the start where its platform delivers over HTTP: %s',
    async (name, module, more) => {
      const tokens = { telegram: BOT_TOKEN, slack: 'xoxb-111-222-theFakeTokenOfTheBot' };
      const settings = {
        'store.url': `sqlite:${join(folder, 'driver.db')}`,
        [`channels.${name}.bot_token`]: tokens[name],
      };
      const starting = runDriver({ modules: [module], folder, logs, settings: { ...settings, ...more } });
      await expect(starting).rejects.toThrow(`channels.${name}: its platform delivers over HTTP`);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('[V-32] answers people, and confirms to the platform what is stored', async () => {
    await startGateway();
    await startDriver();
    platform.write('ann', 'hello from ann');
    platform.write('bob', '/blocks 3');
    await shows('ann', 'hello from ann');
    await shows('bob', 'block 1');
    await eventually(() => expect(platform.read('bob')).toEqual(['block 1\n\nblock 2\n\nblock 3']));
    await eventually(() => expect(platform.pending).toBe(0));
    expect([state()?.state, doubts()]).toEqual(['connected', 0]);
    const health = await fetch(`${gateway?.url}/health`, { headers: { authorization: `Bearer ${TOKENS.operator}` } });
    expect(await health.json()).toMatchObject({ connected_channels: ['pigeon'] });
    expect(driver?.channels.activity.get('pigeon')).toMatchObject({ lastInAt: expect.any(Number) as number });
  });

  it('[V-32] works where messages stay as they were sent, too', async () => {
    await startGateway();
    await startDriver(TelegraphDriver);
    platform.write('ann', 'hello');
    await shows('ann', 'hello');
  });

  it('[V-32] edits, reacts and is asked for approvals over the wire', async () => {
    await startGateway({ 'tools.approvals': ['session.info'] });
    await startDriver();
    platform.write('ann', '/tool session.info {}');
    await eventually(() => platform.press('ann', 'ann', 'Approve'));
    await eventually(() => expect(platform.read('ann').join()).toContain('session.info: approved'));
    const message = platform.write('bob', 'hello');
    await shows('bob', 'hello');
    platform.act('bob', 'bob', { act: { kind: 'reaction', of: message.number, emoji: '👍', action: 'added' } });
    platform.act('bob', 'bob', { act: { kind: 'edit', of: message.number } }, 'hello again');
    await eventually(() => expect(platform.pending).toBe(0));
    const found = await history('bob');
    expect(found).toContain('hello again');
  });

  it('[V-32] loses nothing and repeats nothing when either side stops in the middle of a reply', async () => {
    const port = await findFreePort();
    await startGateway({}, port);
    await startDriver();
    platform.write('ann', '/blocks 8 100');
    await shows('ann', 'block 1');
    await driver?.stop();
    platform.write('ann', 'while the driver was away');
    await startDriver();
    await shows('ann', 'block 8', 'while the driver was away');
    platform.write('bob', '/blocks 8 100');
    await shows('bob', 'block 1');
    await gateway?.close();
    platform.write('bob', 'while the gateway was away');
    await waitUntilFree(port);
    await startGateway({}, port);
    await shows('bob', 'block 8', 'while the gateway was away');
    expect(doubts()).toBe(0);
  });

  it('[V-32] the reply to a message that came from elsewhere reaches the chat of its session', async () => {
    await startGateway();
    await startDriver();
    platform.write('ann', 'hello');
    await shows('ann', 'hello');
    const connections = gateway?.app.get(MemoryConnectionsService, { strict: false });
    const other = connections?.open({ principal: LOCAL_OPERATOR, clientId: 'schedule', take: () => {} });
    await driver?.stop();
    other?.submit({ id: '1', payload: { channel: 'pigeon', sender: 'ann', content: 'from a schedule' } });
    await startDriver();
    await shows('ann', 'hello', 'from a schedule');
    other?.submit({ id: '2', payload: { channel: 'pigeon', sender: 'eve', content: 'to one who never wrote' } });
    platform.write('ann', 'and on');
    await shows('ann', 'hello', 'from a schedule', 'and on');
    expect(platform.read('eve')).toEqual([]);
  });

  it('[V-32] is a bot of Telegram as well as another', async () => {
    const telegram = await FakeTelegram.start();
    await startGateway();
    driver = await runDriver({
      modules: [TelegramModule],
      folder,
      logs,
      settings: {
        'driver.gateway_url': `ws://127.0.0.1:${gateway?.port}`,
        'driver.token': DRIVER_TOKEN,
        'store.url': `sqlite:${join(folder, 'driver.db')}`,
        'channels.telegram.bot_token': BOT_TOKEN,
        'channels.telegram.api_root': telegram.url,
        'channels.telegram.dm_policy': 'open',
        'channels.telegram.allow_from': ['*'],
      },
    });
    telegram.write(5001, 'hello from ann');
    await eventually(() => expect(telegram.read(5001).join()).toContain('hello from ann'));
    telegram.files.set('photo-1', Buffer.from(PNG, 'base64'));
    telegram.write(5001, '', {
      text: undefined,
      caption: 'look at this',
      photo: [{ file_id: 'photo-1', file_size: 70 }],
    });
    await eventually(() => expect(telegram.read(5001).at(-1)).toContain('look at this'));
    const stored = readdirSync(join(folder, 'media'), { recursive: true }).filter((name) =>
      String(name).includes('f_'),
    );
    expect(stored).toHaveLength(1);
    telegram.write(5001, '/demo');
    await eventually(() => expect(telegram.shown.some(({ file }) => file !== undefined)).toBe(true));
    await driver.stop();
    driver = undefined;
    await telegram.close();
  });

  it('[V-32] says that the gateway refuses its token, and goes on trying', async () => {
    await startGateway({ 'auth.tokens': [{ token: TOKENS.operator, principal: 'operator', role: 'operator' }] });
    await startDriver();
    await eventually(() => expect(state()).toMatchObject({ state: 'error', reason: expect.stringContaining('4001') }));
    expect(JSON.stringify(logs.entries)).not.toContain(DRIVER_TOKEN);
  });
});

/** Returns the contents of the messages of a person's session. */
async function history(sender: string): Promise<string[]> {
  const client = await gateway!.connect('reader', TOKENS.operator);
  client.send('message_in', { channel: 'pigeon', sender, content: 'and what was it', observe: true });
  const { session_id } = await client.next('message_ack');
  client.send('history', { limit: 20 }, { session_id });
  const { payload } = await client.next('history');
  return (payload['messages'] as { content: string }[]).map(({ content }) => content);
}

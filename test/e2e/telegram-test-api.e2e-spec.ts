import { afterEach, beforeEach, expect, it } from 'vitest';
import { TelegramServer } from 'telegram-test-api/lib/telegramServer.js';
import { findFreePort } from '../../src/testing/free-port.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN } from '../support/fake-telegram.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';

/** A server of the Bot API that others have written. It knows texts and polls only. */
let server: TelegramServer;
let app: GatewayApp | undefined;

beforeEach(async () => {
  server = new TelegramServer({ port: await findFreePort(), host: '127.0.0.1' });
  await server.start();
});
afterEach(async () => {
  await app?.close();
  await server.stop();
});

it('the channel telegram answers over a server of the Bot API by others', async () => {
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      'channels.telegram.bot_token': BOT_TOKEN,
      'channels.telegram.api_root': server.config.apiURL,
      'channels.telegram.dm_policy': 'open',
      'channels.telegram.allow_from': ['*'],
      'channels.telegram.streaming': 'final',
    },
  });
  const client = server.getClient(BOT_TOKEN, { userId: 5001, chatId: 5001, firstName: 'Ann' });
  await client.sendMessage(client.makeMessage('hello'));
  await eventually(() => {
    const texts = server.storage.botMessages.map(({ message }) => message.text);
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain('hello');
  });
});

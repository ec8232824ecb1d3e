import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { WhatsappDriver } from '../../src/channels/whatsapp/whatsapp.driver.js';
import { WhatsappWebhooks } from '../../src/channels/whatsapp/webhooks.js';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { SystemClock } from '../../src/core/time/clock.js';
import { loadSettings } from '../../src/settings.js';
import { describeChannelDriverContract, type DriverUnderTest } from '../../src/testing/channel-driver.contract.js';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  PHONE_NUMBER_ID,
  VERIFY_TOKEN,
  type Failure,
  type Payload,
} from '../support/fake-whatsapp.js';

const FAILURES: Readonly<Record<Parameters<DriverUnderTest['failNext']>[0], Failure>> = {
  'rate limited': { status: 400, code: 131_056 },
  blocked: { status: 400, code: 131_026 },
  'response lost': { drop: 'after' },
  revoked: { status: 401, code: 190 },
};

/** Serves the webhook as the gateway does. */
async function serve(webhooks: WhatsappWebhooks) {
  const take = async (request: IncomingMessage) => {
    const signature = String(request.headers['x-hub-signature-256']);
    return webhooks.deliver('default', signature, await buffer(request));
  };
  const server = createServer((request, response) => {
    void take(request).then(
      (outcome) => response.writeHead(outcome === 'stored' ? 200 : 503).end(),
      () => response.writeHead(503).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function make(): Promise<DriverUnderTest> {
  const whatsapp = await FakeWhatsapp.start();
  const settings = {
    access_token: ACCESS_TOKEN,
    phone_number_id: PHONE_NUMBER_ID,
    app_secret: APP_SECRET,
    verify_token: VERIFY_TOKEN,
    api_root: whatsapp.url,
  };
  const values = Object.entries(settings).map(([key, value]) => [`channels.whatsapp.${key}`, value]);
  const loaded = loadSettings({}, Object.fromEntries(values) as Record<string, unknown>, '/nonexistent');
  const webhooks = new WhatsappWebhooks(new ConfigStoreService(loaded, new SilentLogs()), new SilentLogs());
  const server = await serve(webhooks);
  whatsapp.target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  whatsapp.sendsStatuses = false;
  let newest: Payload;
  return {
    driver: new WhatsappDriver(new SystemClock(), webhooks),
    settings,
    write: (sender, text) => void (newest = whatsapp.write(sender, text)),
    redeliver: () => whatsapp.deliverMessage(newest),
    edit: (body) => {
      const message = { type: 'text', text: { body } };
      whatsapp.write('ann', '', { type: 'edit', edit: { original_message_id: newest['id'], message } });
    },
    react: () =>
      void whatsapp.write('ann', '', { type: 'reaction', reaction: { message_id: newest['id'], emoji: '👍' } }),
    press: (sender, id) =>
      void whatsapp.write(sender, '', { type: 'interactive', interactive: { button_reply: { id, title: 'Approve' } } }),
    shown: (sender) => whatsapp.read(sender),
    failNext: (failure) => whatsapp.failNext('messages', FAILURES[failure]),
    async dispose() {
      await whatsapp.close();
      server.close();
    },
  };
}

describeChannelDriverContract('the driver of WhatsApp keeps the contract of drivers', make);

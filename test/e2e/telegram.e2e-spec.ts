import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeMetrics } from '../../src/testing/fake-metrics.js';
import { eventually } from '../support/eventually.js';
import { BOT_TOKEN, FakeTelegram } from '../support/fake-telegram.js';
import { GatewayApp, withTokens } from '../support/gateway-app.js';
import { RecordingLogs } from '../support/recording-logs.js';

let app: GatewayApp | undefined;
let telegram: FakeTelegram;
let logs: RecordingLogs;
let metrics: FakeMetrics;

const OPEN = { dm_policy: 'open', allow_from: ['*'], streaming: 'final' };
const ANN = 5001;

async function start(settings: Readonly<Record<string, unknown>> = OPEN): Promise<void> {
  logs = new RecordingLogs();
  metrics = new FakeMetrics();
  const own = { bot_token: BOT_TOKEN, api_root: telegram.url, ...settings };
  app = await GatewayApp.start({
    settings: {
      ...withTokens,
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`channels.telegram.${key}`, value])),
    },
    logs,
    metrics,
  });
}

beforeEach(async () => {
  telegram = await FakeTelegram.start();
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  await telegram.close();
});

const shows = (chat: number, ...texts: readonly string[]) =>
  eventually(() => {
    const shown = telegram.read(chat);
    expect(shown.map((text, n) => (text.includes(texts[n] ?? '\0') ? texts[n] : text))).toEqual(texts);
  });

const parts = (outcome: string) => metrics.read('openclaw_channel_parts_total', { channel: 'telegram', outcome });

describe('the channel telegram', () => {
  it('answers a message, and confirms it by the offset of the next poll', async () => {
    await start();
    telegram.write(ANN, 'hello from ann');
    await shows(ANN, 'hello from ann');
    await eventually(() => expect(telegram.pending).toBe(0));
    expect(parts('possibly_twice')).toBe(0);
  });
});

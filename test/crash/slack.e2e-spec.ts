import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { APP_TOKEN, BOT_TOKEN, BOT_USER, FakeSlack, TEAM, type Failure } from '../support/fake-slack.js';
import { toVisible, type Parameters } from '../support/fake-slack-messages.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { draw, itAnswersAll, type Platform, type Shares } from './platform-campaign.js';

const LIMITED: Failure = { status: 429, retryAfter: 1 };

/** What fails in the worst mode, each with its share of the calls of a method. */
const WORST: Readonly<Record<string, Shares<Failure>>> = {
  'apps.connections.open': [
    [0.1, { drop: 'before' }],
    [0.1, { status: 500 }],
  ],
  'chat.postMessage': [
    [0.06, { drop: 'after' }],
    [0.02, { drop: 'before' }],
    [0.04, LIMITED],
    [0.08, { error: 'invalid_blocks' }],
    [0.04, { error: 'thread_not_found' }],
    [0.02, { error: 'internal_error' }],
    [0.05, { delayMs: 150 }],
  ],
  'chat.update': [
    [0.05, { drop: 'after' }],
    [0.05, { drop: 'before' }],
    [0.03, LIMITED],
    [0.05, { error: 'invalid_blocks' }],
  ],
  'chat.startStream': [
    [0.06, { drop: 'after' }],
    [0.02, { drop: 'before' }],
    [0.02, LIMITED],
    [0.02, { error: 'internal_error' }],
    [0.02, { error: 'channel_type_not_supported' }],
  ],
  'chat.appendStream': [
    [0.08, { drop: 'after' }],
    [0.05, { drop: 'before' }],
    [0.03, LIMITED],
    [0.04, { error: 'message_not_in_streaming_state' }],
  ],
  'chat.stopStream': [
    [0.05, { drop: 'after' }],
    [0.05, { drop: 'before' }],
  ],
  'conversations.history': [
    [0.05, { drop: 'before' }],
    [0.05, LIMITED],
  ],
  'conversations.replies': [
    [0.05, { drop: 'after' }],
    [0.05, LIMITED],
  ],
  'users.info': [
    [0.1, { drop: 'before' }],
    [0.1, { status: 500 }],
  ],
  'assistant.threads.setStatus': [[0.2, { status: 500 }]],
};

async function startSlack(random: () => number, chats: number): Promise<Platform<Parameters>> {
  const slack = await FakeSlack.start();
  slack.chaos = (method, parameters) => {
    const failure = draw(WORST[method], random);
    return failure && isPossible(failure, parameters) ? failure : undefined;
  };
  const threads = Array.from({ length: chats }, (_, chat) => openThread(slack, chat));
  return {
    env: envFor(slack),
    secrets: [BOT_TOKEN.slice(5), APP_TOKEN.slice(5)],
    blocks: 450,
    get calls() {
      return slack.calls.length;
    },
    get pending() {
      return slack.sockets.waiting;
    },
    get shown() {
      return slack.messages.filter((one) => one.bot_id !== undefined).map(({ text }) => text);
    },
    faults: slack.faults,
    write: (chat, text, sentAt = Date.now()) => {
      const more = { ts: slack.nextTs(Math.floor((Date.now() - sentAt) / 1_000)) };
      const thread = threads[chat];
      if (thread === undefined) return slack.write(`U${chat}`, text, more);
      const place = { channel: idOf(chat), channel_type: 'channel', thread_ts: thread };
      const event = slack.write(`UC${chat}`, `<@${BOT_USER}> ${text}`, { ...place, ...more });
      slack.deliver({ ...event, type: 'app_mention', channel_type: undefined });
      return event;
    },
    deliver: (event) => slack.deliver(event),
    // What still grows is not complete.
    read: (chat) =>
      slack
        .shown(idOf(chat))
        .filter(({ isStreaming }) => !isStreaming)
        .map(({ text }) => toVisible(text)),
    disturb: () =>
      random() < 0.5 ? slack.sockets.drop() : slack.sockets.say({ type: 'disconnect', reason: 'warning' }),
    die: (folder) => process.env['LONG'] || skipDeadlines(folder),
    close: () => slack.close(),
  };
}

function envFor(slack: FakeSlack): Readonly<Record<string, string>> {
  return {
    OPENCLAW_CHANNELS_SLACK_BOT_TOKEN: BOT_TOKEN,
    OPENCLAW_CHANNELS_SLACK_APP_TOKEN: APP_TOKEN,
    OPENCLAW_CHANNELS_SLACK_API_ROOT: slack.apiRoot,
  };
}

/** Each second chat is a thread of a channel. */
function idOf(chat: number): string {
  return chat % 2 === 0 ? `DU${chat}` : `C${chat}`;
}

/** Returns the time of the first post of the thread of a chat, if it is one. */
function openThread(slack: FakeSlack, chat: number): string | undefined {
  if (chat % 2 === 0) return undefined;
  const ts = slack.nextTs();
  slack.keep({ type: 'message', channel: idOf(chat), user: 'U0', team: TEAM, ts, text: 'a thread' });
  return ts;
}

/** Skips the 30 s in which a call of the dead process may still arrive: the fake workspace carries out nothing late. */
function skipDeadlines(folder: string): void {
  const path = join(folder, 'data/gateway.db');
  // A process can die before it has created its store.
  if (!existsSync(path)) return;
  const database = new DatabaseSync(path);
  database.exec('UPDATE outbox SET deadline = 0');
  database.close();
}

/** Returns the number of parts whose outcome is not stored. */
function countSending(folder: string): number {
  const database = new DatabaseSync(join(folder, 'data/gateway.db'), { readOnly: true });
  const row = database.prepare("SELECT count(*) AS count FROM outbox WHERE state = 'sending'").get();
  database.close();
  return Number(row?.['count']);
}

/** Slack refuses only what a call has. */
function isPossible(failure: Failure, parameters: Parameters): boolean {
  if (!('error' in failure)) return true;
  if (failure.error === 'invalid_blocks') return parameters['mrkdwn'] !== 'false';
  return failure.error !== 'thread_not_found' || parameters['thread_ts'] !== undefined;
}

itAnswersAll('Slack', startSlack, { chats: 4, lives: Array.from({ length: 2 }, () => ({ messages: 8 })) });

it('[V-29] what Slack did not let the gateway read before it was killed is read after its next start', async () => {
  const slack = await FakeSlack.start();
  const folder = mkdtempSync(join(tmpdir(), 'slack-gap-'));
  const live = async (text: string, ageS: number, ...answers: readonly string[]) => {
    const env = { ...envFor(slack), OPENCLAW_CHANNELS_SLACK_DM_POLICY: 'open' };
    const gateway = new GatewayProcess({ folder, env: { ...env, OPENCLAW_CHANNELS_SLACK_ALLOW_FROM: '["*"]' } });
    slack.write('U1', text, { ts: slack.nextTs(ageS) });
    try {
      const shown = () => slack.read('DU1').map((one) => answers.find((answer) => one.includes(answer)) ?? one);
      await expect.poll(shown, { timeout: 60_000, interval: 50 }).toEqual(answers);
      // An outcome that was not stored would be looked up in the history, too.
      await expect.poll(() => countSending(folder), { timeout: 60_000, interval: 50 }).toBe(0);
    } finally {
      await gateway.end();
    }
  };
  try {
    await live('first 1', 20, 'first 1');
    slack.keep({ type: 'message', channel: 'DU1', user: 'U1', team: TEAM, ts: slack.nextTs(10), text: 'missed 2' });
    slack.chaos = (method) => (method === 'conversations.history' ? { status: 429, retryAfter: 600 } : undefined);
    await live('live 3', 0, 'first 1', 'live 3');
    slack.chaos = () => undefined;
    await live('last 4', 0, 'first 1', 'live 3', 'missed 2', 'last 4');
  } finally {
    await slack.close();
    rmSync(folder, { recursive: true });
  }
});

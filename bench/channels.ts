/**
 * `npm run bench:channels`: measures a gateway with the channel `telegram` on a platform in the process of the benchmark. Ends by
 * itself, stays on loopback.
 *
 * - CPU of the gateway for each message that is handed over and answered, with all chats at once.
 * - How long a block waits between its commit and the call of the platform that shows it: the first of a reply, and the
 *   longest, which the pace of edits bounds (1,000 ms in a direct chat).
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { format } from './report/table.ts';
import { startGateway, TemporaryFolder, TOKEN } from './servers.ts';
import { TelegramPlatform, type ShownText } from './servers/telegram-platform.ts';
import { quantile } from './statistics.ts';

const CHATS = 20;
const WARM_UP = 400;
const MESSAGES = 2_000;
const ROUNDS = 5;
const REPLIES = 5;
const BLOCKS = 40;
const BLOCK_INTERVAL_MS = 100;

function print(name: string, value: number, unit: string): void {
  process.stdout.write(`${format(value, unit).padStart(12)}  ${name}\n`);
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await sleep(10);
}

/** People write `count` messages, a new one in a chat when the one before is answered. Resolves when all are. */
async function talk(platform: TelegramPlatform, prefix: string, count: number): Promise<void> {
  const answered = new Set<string>();
  let written = 0;
  const writeNext = (chat: number) => {
    if (written < count) platform.write(chat, `${prefix}-${written++} end`);
  };
  for (let chat = 1; chat <= CHATS; chat++) writeNext(chat);
  for (let at = platform.shown.length; answered.size < count;) {
    for (; at < platform.shown.length; at++) {
      const { chat, text } = platform.shown[at] as ShownText;
      const [message] = new RegExp(`${prefix}-\\d+ end`).exec(text) ?? [];
      if (message === undefined || answered.has(message)) continue;
      answered.add(message);
      writeNext(chat);
    }
    await sleep(1);
  }
}

/** Follows the frames of the channel, and compares when blocks were committed with when the platform showed them. */
class Blocks {
  private readonly committed = new Map<string, number>();
  private readonly socket: WebSocket;

  constructor(port: number) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/?client_id=bench`, ['openclaw.v1', `openclaw.bearer.${TOKEN}`]);
    this.socket.addEventListener('message', ({ data }) => {
      const { type, timestamp, payload } = JSON.parse(String(data)) as Frame;
      if (type === 'stream_block') this.committed.set(`${payload.message_ref} ${payload.content}`, timestamp);
    });
  }

  async open(): Promise<void> {
    await once(this.socket, 'message');
  }

  close(): void {
    this.socket.close();
  }

  /** Returns for each block of the newest reply how long it waited, in milliseconds. */
  takeWaits(platform: TelegramPlatform): number[] {
    const waits = [...this.committed].map(([name, at]) => {
      const content = name.slice(name.indexOf(' ') + 1);
      const call = platform.shown.find(({ text }) => text.split('\n').includes(content));
      return (call?.at ?? Number.NaN) - at;
    });
    this.committed.clear();
    return waits;
  }
}

interface Frame {
  readonly type: string;
  readonly timestamp: number;
  readonly payload: { readonly message_ref?: string; readonly content?: string };
}

await using platform = await TelegramPlatform.start();
using folder = new TemporaryFolder();
await using gateway = await startGateway({
  folder,
  env: {
    OPENCLAW_AUTH_TOKENS: JSON.stringify([
      { token: TOKEN, principal: 'bench', role: 'channel', channels: ['telegram'] },
    ]),
    OPENCLAW_CHANNELS_TELEGRAM_BOT_TOKEN: '7000000001:AAEbench-token_0123456789',
    OPENCLAW_CHANNELS_TELEGRAM_API_ROOT: platform.url,
    OPENCLAW_CHANNELS_TELEGRAM_DM_POLICY: 'open',
    OPENCLAW_CHANNELS_TELEGRAM_ALLOW_FROM: '["*"]',
  },
});
await talk(platform, 'warm', WARM_UP);
const rounds: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const prefix = `hello-${round}`;
  const startedAt = performance.now();
  const cpuUs = await gateway.cpuDuring(() => talk(platform, prefix, MESSAGES));
  const perSecond = Math.round((MESSAGES * 1_000) / (performance.now() - startedAt));
  rounds.push(cpuUs / MESSAGES);
  print(
    `CPU for a message in and its reply out, ${CHATS} chats at once (${perSecond} a second)`,
    cpuUs / MESSAGES,
    'us',
  );
}
print('median of the rounds', quantile(rounds, 0.5), 'us');

const blocks = new Blocks(gateway.port);
await blocks.open();
const [first, longest]: [number[], number[]] = [[], []];
for (let reply = 0; reply < REPLIES; reply++) {
  platform.shown.splice(0);
  platform.write(1, `/blocks ${BLOCKS} ${BLOCK_INTERVAL_MS}`);
  await until(() => platform.shown.some(({ text }) => text.split('\n').includes(`block ${BLOCKS}`)));
  await sleep(100);
  const waits = blocks.takeWaits(platform);
  first.push(waits[0] ?? Number.NaN);
  longest.push(Math.max(...waits));
}
blocks.close();
print('from the commit of the first block of a reply to the call that shows it, longest', Math.max(...first), 'ms');
print(
  `from the commit of a block to the call that shows it, longest of ${REPLIES * BLOCKS}`,
  Math.max(...longest),
  'ms',
);
process.exit(0);

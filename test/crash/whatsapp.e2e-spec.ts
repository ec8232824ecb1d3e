import {
  ACCESS_TOKEN,
  APP_SECRET,
  FakeWhatsapp,
  OWN_NUMBER,
  PHONE_NUMBER_ID,
  VERIFY_TOKEN,
  type Failure,
  type Payload,
} from '../support/fake-whatsapp.js';
import { draw, itAnswersAll, type Platform, type Shares } from './platform-campaign.js';

/** What has no effect. When the gateway dies then, half a minute passes until that is known: too long for a short campaign. */
const WITHOUT_EFFECT: Shares<Failure> = [
  [0.02, { drop: 'before' }],
  [0.02, { status: 500, code: 1, details: 'An unknown error' }],
  [0.02, { status: 400, code: 131_056 }],
  [0.04, { status: 429, code: 130_429, headers: { 'retry-after': '1' } }],
  [0.08, { status: 400, code: 131_009, details: 'The context is not valid' }],
];

/** What fails in the worst mode, each with its share of the messages. */
const WORST: Shares<Failure> = [
  ...(process.env['LONG'] ? WITHOUT_EFFECT : []),
  [0.06, { drop: 'after' }],
  [0.1, { delayMs: 150 }],
];

async function startWhatsapp(random: () => number): Promise<Platform<Payload>> {
  const whatsapp = await FakeWhatsapp.start();
  whatsapp.chaos = (method, { type, context }) => {
    if (method !== 'messages' || type !== 'text') return undefined;
    const failure = draw(WORST, random);
    const isImpossible = failure && 'code' in failure && failure.code === 131_009 && context === undefined;
    return isImpossible ? undefined : failure;
  };
  // Everything comes twice, statuses too.
  whatsapp.repeats = () => 1;
  whatsapp.statusDelayMs = 100;
  return {
    env: {
      OPENCLAW_CHANNELS_WHATSAPP_ACCESS_TOKEN: ACCESS_TOKEN,
      OPENCLAW_CHANNELS_WHATSAPP_PHONE_NUMBER_ID: PHONE_NUMBER_ID,
      OPENCLAW_CHANNELS_WHATSAPP_APP_SECRET: APP_SECRET,
      OPENCLAW_CHANNELS_WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN,
      OPENCLAW_CHANNELS_WHATSAPP_API_ROOT: whatsapp.url,
    },
    secrets: [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN],
    // Each block is a message.
    blocks: 4,
    get calls() {
      return whatsapp.calls.length;
    },
    get pending() {
      return whatsapp.pending;
    },
    get shown() {
      return whatsapp.shown.map(({ text }) => text);
    },
    write: (chat, text, sentAt = Date.now()) =>
      writeTo(whatsapp, idOf(chat), text, { timestamp: String(Math.floor(sentAt / 1_000)) }),
    deliver: (message) => whatsapp.deliverMessage(message),
    read: (chat) => whatsapp.read(idOf(chat)),
    connect: async (port) => void (whatsapp.target = `http://127.0.0.1:${port}`),
    die: () => (whatsapp.target = ''),
    close: () => whatsapp.close(),
  };
}

/** Each third chat is a group, and each third a person who hides the number. */
function idOf(chat: number): string {
  if (chat % 3 === 0) return `group-${chat}`;
  return chat % 3 === 1 ? `1555000${1_000 + chat}` : `US.1349${1_000 + chat}`;
}

function writeTo(whatsapp: FakeWhatsapp, chat: string, text: string, more: object): Payload {
  if (!chat.startsWith('group')) return whatsapp.write(chat, text, more);
  const reply = { group_id: chat, context: { from: OWN_NUMBER, id: 'wamid.OUT0' } };
  return whatsapp.write('15550009999', text, { ...reply, ...more });
}

// Failpoints, because after a death at a random moment half a minute may pass until it is known that a part was not sent.
itAnswersAll('WhatsApp', startWhatsapp, {
  chats: 4,
  lives: [
    { messages: 1, failpoint: 'outbox.after_send:1' },
    { messages: 8, failpoint: 'inbox.after_commit:1' },
  ],
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Failpoint } from '../../src/core/failpoints/failpoint.js';
import { FORM, surfaceOf } from '../support/drawing-agent.js';
import { eventually } from '../support/eventually.js';
import { FrameClient, type SeenFrame } from '../support/frame-client.js';
import { GatewayProcess } from '../support/gateway-process.js';

/** Places around the storing of a state, the commit of its block, and the sending of it. */
const PLACES: readonly Failpoint[] = [
  'enqueue.after_commit',
  'claim.after',
  'tool.after_intent',
  'tool.after_effect',
  'block.mid_batch',
  'finish.before_commit',
  'finish.after_commit',
  'delivery.before_send',
  'delivery.after_send',
];
/** The passes of a place at which the process dies, in a life for each: in turn the first and the second one, and with `LONG` five. */
const passesOf = (place: Failpoint) => (process.env['LONG'] ? [1, 2, 3, 4, 5] : [1 + (PLACES.indexOf(place) % 2)]);

const change = {
  messages: [{ updateComponents: { surfaceId: 's', components: [{ id: 'title', component: 'Text', text: 'Now?' }] } }],
};
const STEPS = [
  `/tool canvas.show ${JSON.stringify({ kind: 'a2ui', messages: surfaceOf(FORM) })}`,
  `/tool canvas.update ${JSON.stringify({ surface_id: 's', ...change })}`,
  `/tool canvas.show ${JSON.stringify({ surface_id: 'p', kind: 'html', html: '<h1>Hello</h1>' })}`,
];

let folder: string;
const started: GatewayProcess[] = [];
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'canvas-crash-'))));
afterEach(async () => {
  for (const gateway of started.splice(0)) await gateway.end();
  rmSync(folder, { recursive: true, force: true });
});

function start(failpoint?: string): GatewayProcess {
  const gateway = new GatewayProcess({
    folder,
    env: {
      OPENCLAW_AGENT_MAX_ATTEMPTS: '100',
      OPENCLAW_TOOLS_DEFAULT_PERMISSIONS: '["canvas"]',
      ...(failpoint === undefined ? {} : { OPENCLAW_FAILPOINT: failpoint }),
    },
  });
  started.push(gateway);
  return gateway;
}

/** Sends all messages, for the first time or again, and what a person presses. Resolves with the session. */
async function sendAll(client: FrameClient): Promise<string> {
  let sessionId = '';
  const press = { metadata: { canvas: { surface_id: 's', version: 2, action: 'send', context: {} } } };
  for (const [n, content] of [...STEPS, 'Send it'].entries()) {
    const message = { channel: 'crash', sender: 'ann', content, ...(content === 'Send it' && press) };
    const isOf = (type: string) => (frame: SeenFrame) => frame.type === type && frame.correlation_id === `m${n}`;
    client.send('message_in', message, { id: `m${n}` });
    const { payload, session_id: session } = await client.next(isOf('message_ack'));
    sessionId = session ?? '';
    // A repeat of a message that has ended gets no second end.
    const ends = isOf('stream_end');
    if (payload['status'] === 'queued') await client.next(ends);
    else await awaitEnd(client, sessionId, `m${n}`);
  }
  return sessionId;
}

async function awaitEnd(client: FrameClient, sessionId: string, id: string): Promise<void> {
  await eventually(async () => {
    const found = (await readHistory(client, sessionId)).find((message) => message.message_id === id);
    expect(found?.status).toBe('done');
  });
}

interface HistoryMessage {
  readonly message_id: string;
  readonly content: string;
  readonly status: string;
  readonly blocks: readonly { readonly block_type: string; readonly content: string }[];
}

async function readHistory(client: FrameClient, sessionId: string): Promise<readonly HistoryMessage[]> {
  const id = client.send('history', { limit: 200 }, { session_id: sessionId });
  const { payload } = await client.answerTo(id);
  return payload['messages'] as readonly HistoryMessage[];
}

describe('a gateway killed with SIGKILL while an agent draws', () => {
  it.each(PLACES)('[Y-04] at %s stores and shows each state once, and an action once', async (place) => {
    for (const pass of passesOf(place)) {
      const gateway = start(`${place}:${pass}`);
      await gateway
        .connect('crash')
        .then(sendAll)
        .catch(() => {});
      await gateway.end();
    }
    const client = await start().connect('crash');
    const sessionId = await sendAll(client);
    const messages = await readHistory(client, sessionId);
    const states = messages.map(({ blocks }) =>
      blocks
        .filter(({ block_type }) => block_type === 'canvas')
        .map(({ content }) => {
          const { surface_id, version } = JSON.parse(content) as { surface_id: string; version: number };
          return `${surface_id} ${version}`;
        }),
    );
    expect(states).toEqual([['s 1'], ['s 2'], ['p 1'], []]);
    expect(messages.map(({ status }) => status)).toEqual(['done', 'done', 'done', 'done']);
    const opened = client.send('canvas_open', { surface_id: 'p' }, { session_id: sessionId });
    expect((await client.answerTo(opened)).payload).toMatchObject({ surface_id: 'p', version: 1 });
  });
});

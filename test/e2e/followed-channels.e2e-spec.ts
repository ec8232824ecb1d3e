import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryConnectionsService } from '../../src/core/connections/memory-connections.service.js';
import { ROLE_SCOPES, type Principal } from '../../src/core/identity/principal.js';
import { encodeDurableFrame } from '../../src/protocol/encode.js';
import { encodeEvent } from '../../src/websocket/event-frames.js';
import { eventually } from '../support/eventually.js';
import type { FrameClient, SeenFrame } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

/** A driver of the channel `test`, over either connection. */
interface Driver {
  readonly frames: readonly SeenFrame[];
  resumeAll(): void;
  /** Resolves when it is stored. */
  confirm(sessionId: string, seq: number): Promise<void>;
  /** Loses the connection. */
  lose(): Promise<void>;
}

let gateway: GatewayApp;
let operator: FrameClient;
beforeEach(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
  operator = await gateway.connect('elsewhere', TOKENS.operator);
});
afterEach(() => gateway.close());

async function connectSocket(clientId: string): Promise<Driver> {
  const client = await gateway.connect(clientId, TOKENS.driver);
  return {
    frames: client.unread,
    resumeAll: () => void client.send('resume', {}),
    async confirm(session_id, seq) {
      client.send('delivered', { session_id, seq });
      await client.answerTo(client.send('ping'));
    },
    async lose() {
      client.socket.terminate();
      await client.ended;
    },
  };
}

const PRINCIPAL: Principal = {
  tenant: 'default',
  principal: 'driver',
  role: 'channel',
  scopes: new Set(ROLE_SCOPES.channel),
  channels: ['test'],
  sender: undefined,
};

let requests = 0;

async function connectMemory(clientId: string): Promise<Driver> {
  const frames: SeenFrame[] = [];
  const connection = gateway.app.get(MemoryConnectionsService, { strict: false }).open({
    principal: PRINCIPAL,
    clientId,
    take(event) {
      const texts = event.kind === 'frames' ? event.frames.map(encodeDurableFrame) : [encodeEvent(event) as string];
      frames.push(...texts.map((text) => JSON.parse(text) as SeenFrame));
    },
  });
  return {
    frames,
    resumeAll: () => connection.resume(`r-${++requests}`),
    async confirm(sessionId, seq) {
      connection.confirm(`r-${++requests}`, sessionId, seq);
      const id = `r-${++requests}`;
      connection.readHistory(id, sessionId, 1);
      await eventually(() => expect(frames.some(({ correlation_id: answered }) => answered === id)).toBe(true));
    },
    lose: async () => connection.end(),
  };
}

/** Another client causes a reply of `blocks` blocks in the session of a sender, and waits for its end. */
async function reply(sender: string, blocks = 1, channel = 'test'): Promise<string> {
  const id = operator.send('message_in', { channel, sender, content: `/blocks ${blocks}` });
  const end = await operator.next(({ type, payload }) => type === 'stream_end' && payload['id'] === id);
  return end.session_id ?? '';
}

const seqsOf = ({ frames }: Driver, sessionId: string) =>
  frames.flatMap(({ session_id, seq }) => (session_id === sessionId && seq !== undefined ? [seq] : []));
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe.each([
  ['over a socket', connectSocket],
  ['over a connection in memory', connectMemory],
])('a driver that lists its channels, %s', (_, connect) => {
  it('[S-15] gets the frames of all sessions of its channels from its connect on, and no others', async () => {
    const earlier = await reply('ann', 3);
    const driver = await connect('d1');
    const other = await reply('carl', 1, 'elsewhere');
    const fresh = await reply('bob', 2);
    await reply('ann', 1);
    await eventually(() => {
      expect(seqsOf(driver, fresh)).toEqual([1, 2, 3]);
      expect(seqsOf(driver, earlier)).toEqual([5, 6]);
    });
    expect(seqsOf(driver, other)).toEqual([]);
  });

  it('[S-16] resumes exactly what it has not confirmed, also of sessions that began meanwhile', async () => {
    const early = await reply('ann', 2);
    const first = await connect('d1');
    const known = await reply('bob', 2);
    await eventually(() => expect(seqsOf(first, known)).toEqual([1, 2, 3]));
    await first.confirm(known, 2);
    await first.lose();
    const meanwhile = await reply('carl');
    await reply('ann');
    const next = await connect('d1');
    next.resumeAll();
    await eventually(() => {
      expect(seqsOf(next, known)).toEqual([3]);
      expect(seqsOf(next, meanwhile)).toEqual([1, 2]);
      expect(seqsOf(next, early)).toEqual([4, 5]);
    });
    const resumed = next.frames.filter(({ type }) => type === 'resumed').map(({ payload }) => payload);
    expect(resumed).toHaveLength(3);
    expect(resumed).toContainEqual({ session_id: early, from_seq: 4, head_seq: 5, complete: true });
  });

  it('[S-16] gets what it missed of a session before what is written now, also without a resume', async () => {
    const driver = await connect('d1');
    await driver.lose();
    const missed = await reply('ann', 3);
    const next = await connect('d1');
    await reply('ann', 1);
    await eventually(() => expect(seqsOf(next, missed)).toEqual(upTo(6)));
  });

  it('[S-16] misses nothing and gets nothing in another order, however often it is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('write', 'lose', 'resume', 'confirm'), { maxLength: 12 }),
        async (acts) => {
          const clientId = `c${++requests}`;
          const sender = `s${requests}`;
          let driver = await connect(clientId);
          let [written, confirmed] = [0, 0];
          let session = '';
          for (const act of acts) {
            if (act === 'write') [session, written] = [await reply(sender), written + 2];
            if (act === 'resume') driver.resumeAll();
            if (act === 'confirm' && session !== '') {
              const got = seqsOf(driver, session).at(-1) ?? 0;
              if (got > confirmed) await driver.confirm(session, (confirmed = got));
            }
            if (act !== 'lose') continue;
            await driver.lose();
            driver = await connect(clientId);
          }
          driver.resumeAll();
          await eventually(() => {
            const [begin = confirmed + 1] = seqsOf(driver, session);
            expect(begin).toBeLessThanOrEqual(confirmed + 1);
            const taken = seqsOf(driver, session).filter(
              (seq, n, all) => seq > Math.max(begin - 1, ...all.slice(0, n)),
            );
            expect(taken).toEqual(upTo(written, begin));
          });
          await driver.lose();
        },
      ),
      { numRuns: Number(process.env['LONG'] ?? 0) > 0 ? 100 : 8 },
    );
  });
});

it('[S-15] a driver without the scope to read, and a user, get only what they asked for', async () => {
  const alice = await gateway.connect('page', TOKENS.alice);
  const scopes = new Set(ROLE_SCOPES.channel.filter((scope) => scope !== 'sessions:read'));
  const frames: string[] = [];
  gateway.app.get(MemoryConnectionsService, { strict: false }).open({
    principal: { ...PRINCIPAL, scopes },
    clientId: 'd2',
    take: ({ kind }) => void frames.push(kind),
  });
  const driver = await connectMemory('d1');
  const session = await reply('bob');
  await eventually(() => expect(seqsOf(driver, session)).toEqual([1, 2]));
  expect([alice.unread, frames]).toEqual([[], []]);
});

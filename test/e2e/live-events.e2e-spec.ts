import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';

interface Seen {
  readonly id?: string;
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

let gateway: GatewayApp;
let driver: FrameClient;
const readers: EventReader[] = [];

/** Reads a stream of events as a browser does. */
class EventReader {
  readonly seen: Seen[] = [];
  readonly ended: Promise<void>;
  private readonly stop = new AbortController();

  private constructor(readonly response: Response) {
    this.ended = this.read().catch(() => {});
  }

  static async open(token: string, lastId?: string): Promise<EventReader> {
    const headers = { authorization: `Bearer ${token}`, ...(lastId !== undefined && { 'last-event-id': lastId }) };
    const reader = new EventReader(await fetch(`${gateway.url}/admin/v1/events`, { headers }));
    readers.push(reader);
    return reader;
  }

  private async read(): Promise<void> {
    let text = '';
    for await (const chunk of this.response.body ?? []) {
      if (this.stop.signal.aborted) return;
      text += Buffer.from(chunk).toString();
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) this.take(part);
    }
  }

  private take(part: string): void {
    const fields = Object.fromEntries(
      part
        .split('\n')
        .filter((line) => !line.startsWith(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    ) as { id?: string; event?: string; data?: string };
    if (fields.event !== undefined)
      this.seen.push({ ...fields, data: JSON.parse(fields.data ?? '{}') as object as never });
  }

  of(kind: string): Seen[] {
    return this.seen.filter(({ event }) => event === kind);
  }

  close(): void {
    this.stop.abort();
  }
}

beforeEach(async () => {
  gateway = await GatewayApp.start({ settings: withTokens });
  driver = await gateway.connect('c', TOKENS.driver);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await gateway.close();
});

const say = (content: string) => driver.send('message_in', { channel: 'test', sender: 'ann', content });
const ended = (id: string) => driver.next((frame) => frame.type === 'stream_end' && frame.payload['id'] === id);

describe('the stream of events', () => {
  it('[AD-21] shows messages, turns, tools and connections of the tenant as they happen', async () => {
    const reader = await EventReader.open(TOKENS.operator);
    const stranger = await EventReader.open(TOKENS.stranger);
    expect(reader.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await ended(say('/tool time.now'));
    await expect.poll(() => reader.of('message').at(-1)?.data).toMatchObject({ state: 'stop' });
    expect(reader.of('message')[0]?.data).toMatchObject({ sender: 'ann', channel: 'test', state: 'queued' });
    expect(reader.of('turn').map(({ data }) => data?.['state'])).toEqual(['running', 'stop']);
    expect(reader.of('tool').at(-1)?.data).toMatchObject({ tool: 'time.now', state: 'succeeded' });
    await (await gateway.connect('other', TOKENS.alice)).close();
    await expect.poll(() => reader.of('connection').map(({ data }) => data?.['state'])).toEqual(['open', 'closed']);
    expect(stranger.seen).toEqual([]);
  });

  it('[AD-22] continues after the last event that was seen, and says when events are missing', async () => {
    const first = await EventReader.open(TOKENS.operator);
    await ended(say('one'));
    await expect.poll(() => first.of('message')).toHaveLength(2);
    const last = first.seen.at(-1)?.id ?? '';
    const middle = first.seen[0]?.id ?? '';
    const again = await EventReader.open(TOKENS.operator, middle);
    await expect.poll(() => again.seen.map(({ id }) => id)).toEqual(first.seen.slice(1).map(({ id }) => id));
    const newest = await EventReader.open(TOKENS.operator, last);
    const lost = await EventReader.open(TOKENS.operator, 'unknown.1');
    await expect.poll(() => lost.seen).toEqual([{ event: 'reset', data: {} }]);
    const foreign = await EventReader.open(TOKENS.stranger, last);
    await expect.poll(() => foreign.seen).toEqual([{ event: 'reset', data: {} }]);
    expect(newest.seen).toEqual([]);
  });

  it('[AD-24] ends with the gateway, and is for operators with the scope', async () => {
    const reader = await EventReader.open(TOKENS.operator);
    expect((await EventReader.open(TOKENS.reader)).response.status).toBe(403);
    expect((await EventReader.open(TOKENS.alice)).response.status).toBe(403);
    await gateway.close();
    await reader.ended;
    gateway = await GatewayApp.start({ settings: withTokens });
  });
});

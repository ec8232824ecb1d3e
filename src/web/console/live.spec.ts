import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './api.js';
import { FIRST_WAIT_MS, MAX_WAIT_MS, SILENCE_MS } from './event-feed.js';
import { DELIVERY_INTERVAL_MS, Live, type LiveEvent, type Neighbours } from './live.js';

/** A stream that the gateway has opened. */
interface OpenedStream {
  readonly lastId: string | undefined;
  readonly signal: AbortSignal;
  send(text: string): void;
  end(): void;
}

/** A gateway whose streams a test writes. */
class FakeGateway {
  readonly streams: OpenedStream[] = [];
  failure: ApiError | undefined;
  tries = 0;

  readonly open = async (lastId: string | undefined, signal: AbortSignal): Promise<Response> => {
    this.tries++;
    if (this.failure) throw this.failure;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const encoder = new TextEncoder();
        signal.addEventListener('abort', () => {
          try {
            controller.error(new DOMException('aborted', 'AbortError'));
          } catch {
            // It has ended.
          }
        });
        const send = (text: string) => controller.enqueue(encoder.encode(text));
        this.streams.push({ lastId, signal, send, end: () => controller.close() });
      },
    });
    return new Response(body);
  };

  get last(): OpenedStream {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error('no stream was opened');
    return stream;
  }
}

type Message = Parameters<ReturnType<Neighbours['join']>>[0];

/** The pages of a browser. */
class FakeBrowser {
  private readonly pages: ((message: Message) => void)[] = [];
  private readonly candidates: (() => Promise<void>)[] = [];
  private isLed = false;

  neighbour(): Neighbours {
    return {
      elect: (lead, signal) => {
        const candidate = () => (signal.aborted ? Promise.resolve() : lead());
        this.candidates.push(candidate);
        void this.choose();
      },
      join: (listen) => {
        this.pages.push(listen);
        return (message) => this.pages.filter((page) => page !== listen).forEach((page) => page(message));
      },
    };
  }

  private async choose(): Promise<void> {
    if (this.isLed) return;
    this.isLed = true;
    for (let next = this.candidates.shift(); next; next = this.candidates.shift()) await next();
    this.isLed = false;
  }
}

const event = (id: string, kind = 'turn', row: object = { id }) =>
  `id: s.${id}\nevent: ${kind}\ndata: ${JSON.stringify(row)}\n\n`;
const HEARTBEAT = ':\nevent: heartbeat\ndata: {}\n\n';

let gateway: FakeGateway;
let browser: FakeBrowser;
const pages: Live[] = [];

function openPage() {
  const live = new Live(gateway.open, browser.neighbour());
  const seen: LiveEvent[] = [];
  let resets = 0;
  live.subscribe(['turn', 'message'], (each) => seen.push(each));
  live.reset.subscribe(() => resets++);
  live.start();
  pages.push(live);
  return { live, ids: () => seen.map(({ row }) => row['id']), resets: () => resets };
}

/** Lets what was sent arrive. */
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  gateway = new FakeGateway();
  browser = new FakeBrowser();
});
afterEach(async () => {
  for (const live of pages.splice(0)) live.stop();
  await settle();
  vi.useRealTimers();
});

describe('live events', () => {
  it('come to those who have asked for their kind, at most every 250 ms', async () => {
    const { live, ids } = openPage();
    await settle();
    expect(live.state).toBe('live');
    gateway.last.send(event('1') + event('2', 'channel') + event('3', 'message'));
    await settle(DELIVERY_INTERVAL_MS - 1);
    expect(ids()).toEqual([]);
    await settle(1);
    expect(ids()).toEqual(['1', '3']);
  });

  it('continue after the last one when the stream breaks off', async () => {
    const { live, ids, resets } = openPage();
    await settle();
    gateway.last.send(event('1') + HEARTBEAT);
    await settle(DELIVERY_INTERVAL_MS);
    gateway.last.end();
    await settle();
    expect(live.state).toBe('reconnecting');
    await settle(FIRST_WAIT_MS);
    expect([live.state, gateway.streams.map(({ lastId }) => lastId)]).toEqual(['live', [undefined, 's.1']]);
    gateway.last.send(event('2'));
    await settle(DELIVERY_INTERVAL_MS);
    expect([ids(), resets()]).toEqual([['1', '2'], 1]);
  });

  it('may have been missed when there is no last one, or the gateway says so: then lists are read again', async () => {
    const { resets } = openPage();
    expect(resets()).toBe(0);
    await settle();
    expect(resets()).toBe(1);
    gateway.last.end();
    await settle(FIRST_WAIT_MS);
    expect(resets()).toBe(2);
    gateway.last.send('event: reset\ndata: {}\n\n');
    await settle();
    expect(resets()).toBe(3);
  });

  it('count as lost after two heartbeats that did not come, with the time of the last one', async () => {
    const { live } = openPage();
    await settle();
    gateway.last.send(HEARTBEAT);
    await settle();
    const heardAt = Date.now();
    await settle(SILENCE_MS);
    expect([live.state, live.heardAt, gateway.last.signal.aborted]).toEqual(['reconnecting', heardAt, true]);
  });

  it('are asked for less and less often while the gateway is away, and at once when the network is back', async () => {
    gateway.failure = new ApiError(0);
    const { live } = openPage();
    await settle(20 * MAX_WAIT_MS);
    const { tries } = gateway;
    expect(tries).toBeLessThan(60);
    gateway.failure = undefined;
    live.hurry();
    await settle();
    expect([gateway.tries, live.state]).toEqual([tries + 1, 'live']);
  });

  it('are not asked for again when the credential does not allow them', async () => {
    gateway.failure = new ApiError(403);
    const { live } = openPage();
    await settle(MAX_WAIT_MS * 4);
    expect([live.state, gateway.tries]).toEqual(['off', 1]);
    live.show(false);
    live.show(true);
    await settle();
    expect([live.state, gateway.tries]).toEqual(['off', 1]);
  });

  it('come again when the person has signed in again', async () => {
    gateway.failure = new ApiError(401);
    const { live } = openPage();
    await settle();
    gateway.failure = undefined;
    live.start();
    await settle();
    expect([live.state, gateway.tries]).toEqual(['live', 2]);
  });
});

describe('the pages of a browser', () => {
  it('share one stream', async () => {
    const all = Array.from({ length: 7 }, openPage);
    await settle();
    gateway.last.send(event('1'));
    await settle(DELIVERY_INTERVAL_MS);
    expect(gateway.streams).toHaveLength(1);
    expect(all.map(({ live, ids }) => [live.state, ids()])).toEqual(all.map(() => ['live', ['1']]));
  });

  it('hand the stream over when the one that has it is hidden, and miss nothing', async () => {
    const [first, second] = [openPage(), openPage()];
    await settle();
    gateway.last.send(event('1'));
    await settle();
    first.live.show(false);
    await settle();
    expect(gateway.streams.map(({ lastId, signal }) => [lastId, signal.aborted])).toEqual([
      [undefined, true],
      ['s.1', false],
    ]);
    gateway.last.send(event('2'));
    await settle(DELIVERY_INTERVAL_MS);
    expect([first.live.state, first.ids(), second.ids()]).toEqual(['paused', ['1'], ['1', '2']]);
    first.live.show(true);
    await settle();
    expect([first.live.state, first.resets(), gateway.streams.length]).toEqual(['live', 2, 2]);
  });

  it('each find out that the access has ended, also those without the stream', async () => {
    const all = [openPage(), openPage(), openPage()];
    await settle();
    gateway.failure = new ApiError(401);
    gateway.last.end();
    await settle(FIRST_WAIT_MS);
    expect([all.map(({ live }) => live.state), gateway.tries]).toEqual([['ended', 'ended', 'ended'], 4]);
  });

  it('go on without the one whose access has ended', async () => {
    const [first, second] = [openPage(), openPage()];
    await settle();
    gateway.failure = new ApiError(401);
    first.live.changed.subscribe(() => first.live.state === 'ended' && (gateway.failure = undefined));
    gateway.last.end();
    await settle(FIRST_WAIT_MS);
    expect([first.live.state, second.live.state]).toEqual(['ended', 'live']);
  });

  it('are paused one by one', async () => {
    const [first, second] = [openPage(), openPage()];
    await settle();
    second.live.pause(true);
    gateway.last.send(event('1'));
    await settle(DELIVERY_INTERVAL_MS);
    expect([first.ids(), second.ids(), second.live.state]).toEqual([['1'], [], 'paused']);
    second.live.pause(false);
    await settle();
    expect([second.live.state, second.resets()]).toEqual(['live', 1]);
  });
});

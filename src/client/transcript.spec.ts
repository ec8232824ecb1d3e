import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryMessage, HistoryPayload, OutboundFrame } from '../protocol/index.js';
import type { SessionPosition } from './sessions.js';
import { Transcript, type TranscriptSource } from './transcript.js';

type Frame = OutboundFrame;

let transcript: Transcript;
let seq: number;
beforeEach(() => {
  transcript = new Transcript('s');
  seq = 0;
});

const frame = (type: string, payload: object, extra: object = {}) =>
  ({ type, id: 'f', timestamp: 1_000, session_id: 's', payload, ...extra }) as Frame;
const durable = (type: string, ref: string, payload: object) =>
  frame(type, { message_id: `id-${ref}`, message_ref: ref, ...payload }, { seq: ++seq });
const take = (...frames: Frame[]) => frames.forEach((each) => transcript.take(each, true));
const takeAgain = (...frames: Frame[]) => frames.forEach((each) => transcript.take(each, false));

const ack = (id: string, ref: string, changes: object = {}) =>
  frame(
    'message_ack',
    { id, message_ref: ref, status: 'queued', mode: 'main', priority: 1, position: 0, ...changes },
    { correlation_id: id },
  );
const block = (ref: string, index: number, content = `block ${index}`) =>
  durable('stream_block', ref, {
    attempt: 1,
    index,
    block_id: `${ref}-${index}-${content}`,
    block_type: 'text',
    content,
  });
const restart = (ref: string, from: number) => durable('stream_restart', ref, { attempt: 2, replaces_from_seq: from });
const end = (ref: string, blocks: number, changes: object = {}) =>
  durable('stream_end', ref, { id: `id-${ref}`, blocks, reason: 'stop', ...changes });
const delta = (ref: string, blockId: string, text: string) =>
  frame('stream_delta', {
    message_id: `id-${ref}`,
    message_ref: ref,
    block_id: blockId,
    block_type: 'text',
    delta: text,
  });
const tool = (ref: string, status: string) => durable('tool_status', ref, { call_id: 'c', tool: 't', status });

function stored(ref: string, changes: Partial<HistoryMessage> = {}): HistoryMessage {
  const message = {
    message_ref: ref,
    message_id: `id-${ref}`,
    sender: 'web-a',
    principal: 'alice',
    content: `said ${ref}`,
    attachments: [],
    sent_at: 1_000,
    agent: 'main',
  };
  return { ...message, status: 'done', blocks: [], end: { reason: 'stop', ended_at: 2_000 }, ...changes };
}
const running = (ref: string, ...contents: string[]) => {
  const { end: _end, ...message } = stored(ref, {
    status: 'running',
    blocks: contents.map((content, i) => aBlock(`${ref}-${i}-${content}`, content)),
  });
  return message;
};
const aBlock = (block_id: string, content: string) => ({ block_id, block_type: 'text', content }) as const;
const history = (headSeq: number, ...messages: HistoryMessage[]) => {
  seq = Math.max(seq, headSeq);
  return frame('history', { messages, head_seq: headSeq } satisfies OutboundFrame<'history'>['payload']);
};

const standing = (place = 0) => transcript.messages[place]!.reply.standing.map(({ block: { content } }) => content);
const growing = (place = 0) => transcript.messages[place]!.reply.growing.map(({ content }) => content);
const add = (id: string, content: string, sentAt = 0) =>
  transcript.add({ id, content, sentAt, sender: 'web-a', attachments: [] });
const refs = () => transcript.messages.map(({ ref }) => ref);

/** Adds a message of this page that the gateway has just accepted. */
function say(id: string, ref: string): void {
  add(id, `said ${ref}`, 0);
  take(ack(id, ref));
}

describe('a message', () => {
  it('is unsent until it is acknowledged, and open until its reply ends', () => {
    const { key } = add('x', 'hello', 5);
    const message = () => transcript.messages.find((each) => each.key === key)!;
    expect([message().phase, transcript.current]).toEqual(['unsent', undefined]);
    take(ack('x', 'm1'));
    expect([message().phase, message().ref, message().sentAt]).toEqual(['open', 'm1', 1_000]);
    expect(transcript.current).toBe(message());
    take(block('m1', 0), end('m1', 1));
    expect([message().phase, transcript.current]).toEqual(['ended', undefined]);
  });

  it('has the reason why it waits or is refused', () => {
    add('x', 'hello');
    const message = () => transcript.messages[0]!;
    const error = (code: string, retryable: boolean) =>
      frame('error', { code, message: 'because', retryable }, { correlation_id: 'x' });
    take(error('QUEUE_FULL', true));
    expect([message().phase, message().refusal]).toEqual(['unsent', { code: 'QUEUE_FULL', message: 'because' }]);
    take(error('FORBIDDEN', false));
    expect([message().phase, message().refusal?.code]).toEqual(['refused', 'FORBIDDEN']);
  });

  it('that was accepted before a reload is found in the history by its id', () => {
    add('id-m1', 'said m1', 0);
    take(history(0, stored('m1')));
    expect(transcript.messages).toHaveLength(1);
    expect(transcript.messages[0]!.phase).toBe('ended');
  });

  it('that is not stored comes last, whatever the timestamps', () => {
    add('x', 'mine', 0);
    take(block('m1', 0), history(1, stored('m1', { sent_at: 9_999 })));
    expect(refs()).toEqual(['m1', undefined]);
  });
});

describe('a reply', () => {
  it('grows by deltas, which complete blocks replace', () => {
    say('x', 'm1');
    take(delta('m1', 'm1-0-one', 'o'), delta('m1', 'm1-0-one', 'n'), delta('m1', 'm1-1-two', 't'));
    expect(growing()).toEqual(['on', 't']);
    take(block('m1', 0, 'one'));
    expect([standing(), growing()]).toEqual([['one'], ['t']]);
    take(end('m1', 1));
    expect([standing(), growing()]).toEqual([['one'], []]);
  });

  it('drops the blocks that a restart replaces, even those from the history', () => {
    take(history(2, running('m1', 'a', 'b')));
    take(block('m1', 2, 'c'), restart('m1', 2));
    expect(standing()).toEqual(['a', 'b']);
    take(block('m1', 1, 'B'), block('m1', 2, 'C'));
    expect(standing()).toEqual(['a', 'B', 'C']);
    take(restart('m1', 2), end('m1', 1));
    expect(standing()).toEqual(['a']);
  });

  it('shows no deltas whose beginning was missed', () => {
    take(history(1, running('m1', 'a')));
    take(delta('m1', 'm1-1-b', 'rest of b'));
    expect(growing()).toEqual([]);
    take(block('m1', 1, 'b'), delta('m1', 'm1-2-c', 'c'));
    expect([standing(), growing()]).toEqual([['a', 'b'], ['c']]);
    transcript.interrupt();
    take(delta('m1', 'm1-2-c', 'd'));
    expect(growing()).toEqual([]);
  });

  it('to a message of another tab is shown at once, and its message is read from the history', () => {
    take(delta('m1', 'm1-0-a', 'begun'));
    expect([growing(), transcript.hasGaps]).toEqual([['begun'], true]);
    take(history(0, running('m1')));
    expect([growing(), transcript.hasGaps, transcript.messages[0]!.content]).toEqual([[], false, 'said m1']);
  });

  it('keeps growing while the history is read', () => {
    take(history(0));
    take(delta('m1', 'm1-0-a', 'be'), history(0, running('m1')), delta('m1', 'm1-0-a', 'gun'));
    expect(growing()).toEqual(['begun']);
  });

  it('keeps the tool states when it is read again after a reload, and duplicates nothing', () => {
    take(history(3, running('m1', 'a')));
    seq = 0;
    takeAgain(tool('m1', 'awaiting_approval'), block('m0', 0), block('m1', 0, 'a'));
    expect([refs(), standing()]).toEqual([['m1'], ['a']]);
    expect(transcript.messages[0]!.reply.tools.get('c')?.status).toBe('awaiting_approval');
  });
});

describe('a reply that was read again from the log', () => {
  it('shows no delta before a live frame has arrived', () => {
    takeAgain(block('m1', 0, 'a'));
    take(delta('m1', 'm1-1-b', 'rest of b'));
    expect([standing(), growing()]).toEqual([['a'], []]);
  });
});

describe('reading', () => {
  const page = (messages: HistoryMessage[], headSeq: number, next_before?: string) => ({
    messages,
    head_seq: headSeq,
    ...(next_before !== undefined && { next_before }),
  });

  /** A gateway with given history pages that records the requests. */
  class Source implements TranscriptSource {
    readonly asked: unknown[] = [];
    pages: ReturnType<typeof page>[] = [];

    history(_sessionId: string, asked: HistoryPayload): ReturnType<TranscriptSource['history']> {
      this.asked.push(asked);
      const next = this.pages.shift();
      if (!next) return Promise.reject(new Error('no page'));
      const { payload, ...envelope } = history(next.head_seq, ...next.messages);
      take({ ...envelope, payload: { ...payload, next_before: next.next_before } } as OutboundFrame);
      return Promise.resolve(next);
    }

    resume(positions: readonly SessionPosition[]): ReturnType<TranscriptSource['resume']> {
      this.asked.push(...positions);
      return Promise.resolve([]);
    }
  }

  it('starts with the newest messages and continues from there, once', async () => {
    const source = new Source();
    source.pages = [page([stored('m2')], 7, 'm2')];
    await Promise.all([transcript.load(source), transcript.load(source)]);
    await transcript.load(source);
    expect(source.asked).toEqual([{ limit: 30 }, { session_id: 's', after_seq: 7 }]);
    source.pages = [page([stored('m1')], 7)];
    await transcript.loadOlder(source);
    await transcript.loadOlder(source);
    expect([refs(), source.asked.slice(2)]).toEqual([['m1', 'm2'], [{ limit: 30, before: 'm2' }]]);
  });

  it('reads back in the log for the states of a running tool', async () => {
    const source = new Source();
    const blocks = [{ block_id: 'c', block_type: 'tool_call', content: '{}' } as const];
    const { end: _end, ...message } = stored('m1', { status: 'running', blocks });
    source.pages = [page([message], 500)];
    await transcript.load(source);
    expect(source.asked).toContainEqual({ session_id: 's', after_seq: 300 });
  });

  it('requests the texts of messages of other clients, and shows only the reply when there is none', async () => {
    const source = new Source();
    take(block('m1', 0), block('m2', 0));
    source.pages = [page([stored('m2', { sent_at: 2_000 })], 2)];
    await transcript.fillGaps(source);
    expect(transcript.messages.map(({ content }) => content)).toEqual(['', 'said m2']);
  });

  it('fails when the session cannot be read, and says that an older page could not be read, until it is', async () => {
    const source = new Source();
    await expect(transcript.load(source)).rejects.toThrow('no page');
    transcript.olderCursor = 'm1';
    await transcript.loadOlder(source);
    expect([transcript.isOlderMissing, transcript.olderCursor, transcript.isLoadingOlder]).toEqual([true, 'm1', false]);
    source.pages = [page([stored('m0')], 7)];
    await transcript.loadOlder(source);
    expect([transcript.isOlderMissing, transcript.olderCursor]).toEqual([false, undefined]);
  });
});

describe('the history', () => {
  it('puts earlier pages first, in their own order, even if all timestamps are equal', () => {
    take(history(9, stored('m3'), stored('m4')));
    take(history(9, stored('m1'), stored('m2')));
    expect(refs()).toEqual(['m1', 'm2', 'm3', 'm4']);
  });

  it('puts a message in its place whose reply was there before it', () => {
    take(history(0, stored('m1'), stored('m2')));
    take(block('m0', 0));
    expect(refs()).toEqual(['m1', 'm2', 'm0']);
    take(history(1, stored('m0', { sent_at: 500 }), stored('m1')));
    expect(refs()).toEqual(['m0', 'm1', 'm2']);
  });

  it('is ignored when it is older than the frames seen', () => {
    say('x', 'm1');
    transcript.isLoaded = true;
    take(block('m1', 0), block('m1', 1));
    transcript.interrupt();
    take(history(1, running('m1', 'block 0')));
    expect(standing()).toEqual(['block 0', 'block 1']);
    seq = 2;
    take(history(2, stored('m1', { blocks: [aBlock('z', 'other')] })));
    expect([standing(), transcript.messages[0]!.phase]).toEqual([['other'], 'ended']);
  });

  it('[S-13] replaces what was stored in a log that an older copy replaced, and keeps what is not sent yet', () => {
    take(history(50, stored('m1'), stored('lost'), running('also-lost', 'block 0')));
    add('x', 'not sent');
    take(frame('error', { code: 'STALE_RESUME', message: '', retryable: false }));
    seq = 0;
    take(history(1, stored('m1')), block('m2', 0));
    expect(transcript.messages.map(({ ref, id }) => ref ?? id)).toEqual(['m1', 'm2', 'x']);
  });
});

describe('the place in line of a message', () => {
  it('is the one that the gateway states, and moves up when a message before it ends', () => {
    for (const id of ['x', 'y', 'z']) add(id, 'hello');
    take(ack('x', 'm1'), ack('y', 'm2'), ack('z', 'm3', { position: 1 }));
    const ahead = () => transcript.messages.map((message) => message.ahead);
    expect(ahead()).toEqual([0, 0, 1]);
    take(end('m1', 0), end('m1', 0));
    expect(ahead()).toEqual([0, 0, 0]);
  });
});

describe('a message that supersedes another', () => {
  const again = (id: string, supersedes: string) =>
    transcript.add({ id, content: 'again', sentAt: 9, sender: 'web-a', attachments: [], supersedes });
  const marks = () => transcript.messages.map(({ ref, supersededBy }) => [ref, supersededBy]);

  it('[M-20] marks it and all after it once the gateway has stored the new one', () => {
    take(history(9, stored('m1'), stored('m2'), stored('m3')));
    again('new', 'm2');
    expect(
      marks()
        .slice(0, 3)
        .every(([, by]) => by === undefined),
    ).toBe(true);
    take(ack('new', 'm4'));
    expect(marks()).toEqual([
      ['m1', undefined],
      ['m2', 'm4'],
      ['m3', 'm4'],
      ['m4', undefined],
    ]);
  });

  it('[M-20] marks only the exchange itself outside of a main session, and nothing when it is refused', () => {
    take(history(9, stored('m1'), stored('m2')));
    again('bad', 'm1');
    take(frame('error', { code: 'INVALID_PAYLOAD', message: 'no', retryable: false }, { correlation_id: 'bad' }));
    expect(marks().every(([, by]) => by === undefined)).toBe(true);
    again('new', 'm1');
    take(ack('new', 'm3', { mode: 'group' }));
    expect(marks().filter(([, by]) => by !== undefined)).toEqual([['m1', 'm3']]);
  });

  it('reads the marks from the history', () => {
    take(history(9, stored('m1', { superseded_by: 'm2' }), stored('m2')));
    expect(marks()).toEqual([
      ['m1', 'm2'],
      ['m2', undefined],
    ]);
  });
});

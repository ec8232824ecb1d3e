/** Valid frames with the highest possible cost: each is at some limit of the protocol. */

export interface HostileFrame {
  readonly name: string;
  /** The frame's text. */
  readonly build: (id: string) => string;
  /** Type of the frame that marks completion. */
  readonly until: string;
}

const MAX_CONTENT = 65_536;
/** Slightly below the 4,000 values that a frame may hold. */
const VALUES = 3_900;

const frame = (type: string, id: string, payload: object) => JSON.stringify({ type, id, timestamp: 1, payload });
const message = (id: string, fields: object) =>
  frame('message_in', id, { channel: 'telegram', sender: 'person-hostile', content: 'x', ...fields });
const says = (name: string, content: string): HostileFrame => ({
  name,
  build: (id) => message(id, { content }),
  until: 'stream_end',
});
const carries = (name: string, metadata: object): HostileFrame => ({
  name,
  build: (id) => message(id, { metadata }),
  until: 'stream_end',
});

function nest(depth: number, core: unknown): unknown {
  return depth === 0 ? core : [nest(depth - 1, core)];
}

const escaped = (fill: string) => ({
  name: 'escapes everywhere',
  build: (id: string) => message(id, { content: 'ESCAPES' }).replace('ESCAPES', fill),
  until: 'stream_end',
});

export const hostileFrames: readonly HostileFrame[] = [
  says('none, for comparison: an ordinary message', 'Hello'),
  carries('as many objects as are allowed', { list: Array.from({ length: VALUES / 2 - 50 }, (_, n) => ({ n })) }),
  carries('as deep as is allowed, again and again', { list: Array.from({ length: VALUES / 28 }, () => nest(27, 0)) }),
  carries(
    'as many keys as are allowed',
    Object.fromEntries(Array.from({ length: VALUES }, (_, n) => [`key_number_${n}`, n])),
  ),
  says('the longest text', 'word '.repeat(MAX_CONTENT / 5)),
  says('graphemes of many characters', '👩‍👩‍👧‍👦'.repeat(Math.floor(MAX_CONTENT / 7))),
  says('combining marks', `e${'\u0301'.repeat(30)}`.repeat(Math.floor(MAX_CONTENT / 31))),
  says('almost a mention, again and again', '@openclaw-'.repeat(Math.floor(MAX_CONTENT / 10))),
  says('only at signs', '@'.repeat(MAX_CONTENT)),
  says('quotes, which JSON escapes', '"'.repeat(MAX_CONTENT)),
  says('a command with a long argument', `/tool time.now ${'['.repeat(MAX_CONTENT - 20)}`),
  says('as many blocks as are allowed', '/blocks 10000'),
  escaped('\\u0041'.repeat(40_000)),
  {
    name: 'many attachments',
    build: (id) =>
      message(id, {
        attachments: Array.from({ length: 16 }, () => ({
          kind: 'image',
          mime_type: 'image/png',
          data: 'QUJD'.repeat(3_800),
        })),
      }),
    until: 'stream_end',
  },
  {
    name: 'a resume of many sessions',
    build: (id) =>
      frame('resume', id, {
        sessions: Array.from({ length: 1_000 }, (_, n) => ({ session_id: `s_unknown_${n}`, after_seq: 0 })),
      }),
    until: 'error',
  },
];

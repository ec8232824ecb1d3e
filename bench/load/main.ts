/** The load generator, in its own process: runs its parent's commands, one at a time. */
import { flood, type FloodOptions } from './flood.ts';
import { LoadSocket, type Target } from './load-socket.ts';
import { classify, messageIn } from './messages.ts';

let target: Target;
const sockets: LoadSocket[] = [];

let bursts = 0;

/** Number of connections opened concurrently; more would overflow the server's backlog. */
const OPENING_AT_ONCE = 64;

/** The parent's commands. Durations are in milliseconds. */
const commands = {
  /** Opens `count` additional connections. Their clients are numbered from `first` on. */
  async connect({
    count,
    first = 0,
    ...options
  }: Target & { readonly count: number; readonly first?: number }): Promise<void> {
    target = options;
    for (let left = count; left > 0; left -= OPENING_AT_ONCE) {
      const number = first + sockets.length;
      const opened = Array.from({ length: Math.min(left, OPENING_AT_ONCE) }, (_, i) =>
        LoadSocket.open(options, `load-${number + i}`),
      );
      sockets.push(...(await Promise.all(opened)));
    }
  },

  flood(options: FloodOptions): Promise<void> {
    return flood(sockets, target.dialect, options);
  },

  /** Sends one message and waits for its acknowledgement. Returns the id of its session. */
  async say({ content, sender }: { readonly content: string; readonly sender: string }): Promise<string> {
    const text = await ask(messageIn(`say-${sender}-${Date.now()}`, sender, { content }), 'message_ack');
    return (JSON.parse(text) as { session_id: string }).session_id;
  },

  /** Sends `count` messages one after the other. Returns the time to each acknowledgement. */
  async lone({ count, prefix }: { readonly count: number; readonly prefix: string }): Promise<number[]> {
    const durations: number[] = [];
    for (let i = 0; i < count; i++) {
      const message = messageIn(`${prefix}-${i}`, 'person-alone');
      const before = performance.now();
      await ask(message, 'message_ack');
      durations.push(performance.now() - before);
    }
    return durations;
  },

  /** Reads a session's history page by page, from its newest message to its first, again and again. Never ends. */
  async readHistory({ sessionId }: { readonly sessionId: string }): Promise<void> {
    let before: string | undefined;
    for (let i = 0; ; i++) {
      const payload = { limit: 200, ...(before !== undefined && { before }) };
      const frame = { type: 'history', id: `history-${i}`, timestamp: 0, session_id: sessionId, payload };
      const text = await ask(JSON.stringify(frame), 'history');
      before = (JSON.parse(text) as { payload: { next_before?: string } }).payload.next_before;
    }
  },

  /** Makes every connection read a session from its start. */
  async watch({ sessionId }: { readonly sessionId: string }): Promise<void> {
    const resume = {
      type: 'resume',
      id: 'watch',
      timestamp: 0,
      payload: { sessions: [{ session_id: sessionId, after_seq: 0 }] },
    };
    await Promise.all(sockets.map((socket) => ask(JSON.stringify(resume), 'resumed', socket)));
  },

  /** Sends `content` on the first connection and waits until all connections together have received `blocks` blocks. */
  async burst({
    sender,
    content,
    blocks,
  }: {
    readonly sender: string;
    readonly content: string;
    readonly blocks: number;
  }): Promise<void> {
    await new Promise<void>((resolve) => {
      let got = 0;
      for (const socket of sockets) {
        socket.onText = (bytes, start) => {
          if (classify(bytes, start) === 'block' && ++got === blocks) resolve();
        };
      }
      sockets[0]?.send(messageIn(`burst-${bursts++}`, sender, { content }));
    });
  },

  /** Sends a frame on the first connection and waits for a response of type `until`. */
  async exchange({
    frame,
    id,
    until,
  }: {
    readonly frame: string;
    readonly id: string;
    readonly until: string;
  }): Promise<void> {
    const correlation = `"correlation_id":${JSON.stringify(id)}`;
    await ask(frame, until, sockets[0], (text) => text.includes(correlation));
  },
} as const;

export type LoadCommands = typeof commands;

/** Sends a frame and resolves with the next frame of type `answer` for which `relevant` returns true. */
function ask(
  message: string,
  answer: string,
  socket = sockets[0],
  relevant: (text: string) => boolean = () => true,
): Promise<string> {
  if (!socket) throw new Error('there is no connection');
  return new Promise((resolve, reject) => {
    socket.onText = (bytes, start, end) => {
      const text = bytes.toString('utf8', start, end);
      if (!relevant(text)) return;
      if (text.startsWith(`{"type":"${answer}"`)) resolve(text);
      else if (text.startsWith('{"type":"error"')) reject(new Error(text));
    };
    socket.send(message);
  });
}

process.on('message', ({ name, options }: { name: keyof LoadCommands; options: never }) => {
  commands[name](options).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

import { classify, messageTemplates, type FrameKind } from './messages.ts';
import type { Dialect, LoadSocket } from './load-socket.ts';

export interface FloodOptions {
  /** Total number of messages. */
  readonly count: number;
  /** Number of unacknowledged messages per connection. */
  readonly perConnection: number;
  /** Number of senders per connection; each has a session. */
  readonly sendersPerConnection: number;
  /** The frame that completes a message: its acknowledgement, or the end of its turn. */
  readonly until: Extract<FrameKind, 'ack' | 'end'>;
  /** All connections write for the same senders. */
  readonly sharedSenders?: boolean;
}

let floods = 0;

/** Runs a closed loop: each connection sends a new message for every completed one, all of them in one write. */
export async function flood(sockets: readonly LoadSocket[], dialect: Dialect, options: FloodOptions): Promise<void> {
  const { count, perConnection, until } = options;
  const prefix = `m${(floods++).toString(36)}-`;
  let sent = 0;
  let answered = 0;
  await new Promise<void>((resolve, reject) => {
    sockets.forEach((socket, index) => {
      const owner = options.sharedSenders ? 'all' : String(index);
      const senders = Array.from({ length: options.sendersPerConnection }, (_, i) => `person-${owner}-${i}`);
      const templates = messageTemplates(dialect, senders, prefix);
      const longest = Math.max(...templates.map(({ length }) => length));
      const send = (wanted: number) => {
        const batch = Math.min(wanted, count - sent);
        const bytes = Buffer.allocUnsafe(batch * longest);
        let at = 0;
        for (let i = 0; i < batch; i++) {
          const template = templates[sent % templates.length] as (typeof templates)[number];
          template.copyTo(bytes, at, sent++);
          at += template.length;
        }
        if (batch > 0) socket.write(bytes.subarray(0, at));
      };
      let answers = 0;
      socket.onText = (bytes, start, end) => {
        const kind = classify(bytes, start);
        if (kind === 'error') return reject(new Error(bytes.toString('utf8', start, end)));
        if (kind !== until) return;
        if (++answered === count) return resolve();
        if (answers++ > 0) return;
        // All frames of this chunk first, then one write for all of them.
        setImmediate(() => {
          const batch = answers;
          answers = 0;
          send(batch);
        });
      };
      send(perConnection);
    });
  });
}

import { randomBytes } from 'node:crypto';
import { classify, messageTemplate, type FrameKind, type MessageKind } from './messages.ts';
import type { FieldValues } from './frames.ts';
import type { Dialect, LoadSocket } from './load-socket.ts';

export interface FloodOptions {
  /** Total number of messages; each connection sends an equal share. */
  readonly count: number;
  /** Number of uncompleted messages per connection. */
  readonly perConnection: number;
  /** Number of sessions, divided among the connections unless they are shared. */
  readonly sessions: number;
  /** The frame that completes a message: its acknowledgement, or the end of its turn. */
  readonly until: Extract<FrameKind, 'ack' | 'end'>;
  /** Default: `main`. */
  readonly kind?: MessageKind;
  /** Number of senders in each group. Default: one. */
  readonly senders?: number;
  /** All connections write to all sessions. */
  readonly isShared?: boolean;
  /** Ids, sessions and senders come in no order; otherwise each in turn. */
  readonly isRandom?: boolean;
  /** True if the traces of the messages are not to be recorded. */
  readonly isUnrecorded?: boolean;
}

/** Makes ids unique among the loads on one store. */
const LOAD = randomBytes(4).toString('hex');
let floods = 0;

/** Runs a closed loop: each connection sends a new message for every completed one, all of them in one write. */
export async function flood(sockets: readonly LoadSocket[], dialect: Dialect, options: FloodOptions): Promise<void> {
  const flags = options.isUnrecorded ? '00' : '01';
  const template = messageTemplate(dialect, options.kind ?? 'main', `${LOAD}-${(floods++).toString(36)}`, flags);
  const share = Math.ceil(options.count / sockets.length);
  await Promise.all(
    sockets.map(
      (socket, index) =>
        new Promise<void>((resolve, reject) => {
          let sent = 0;
          let completed = 0;
          const send = (wanted: number) => {
            const batch = Math.min(wanted, share - sent);
            if (batch === 0) return;
            const bytes = Buffer.allocUnsafe(batch * template.length);
            for (let i = 0; i < batch; i++) {
              template.copyTo(bytes, i * template.length, numbersOf(options, sent++, index, sockets.length));
            }
            socket.write(bytes);
          };
          let due = 0;
          socket.onText = (text, start, end) => {
            const kind = classify(text, start);
            if (kind === 'error') return reject(new Error(text.toString('utf8', start, end)));
            if (kind !== options.until) return;
            if (++completed === share) return resolve();
            if (due++ > 0) return;
            // All frames of this chunk first, then one write for all of them.
            setImmediate(() => {
              const batch = due;
              due = 0;
              send(batch);
            });
          };
          send(options.perConnection);
        }),
    ),
  );
}

/** Returns the numbers of the `nth` message of a connection. */
function numbersOf(
  { sessions, senders = 1, isShared = false, isRandom = false }: FloodOptions,
  nth: number,
  connection: number,
  connections: number,
): FieldValues {
  const ordinal = nth * connections + connection;
  const id = isRandom ? scatter(ordinal) : ordinal;
  const pick = isShared || isRandom ? id : nth;
  return {
    id,
    session: isShared ? pick % sessions : connection + connections * (pick % Math.ceil(sessions / connections)),
    sender: Math.floor(pick / sessions) % senders,
  };
}

const ID_SPACE = 1e8;
/** Has no factor in common with {@link ID_SPACE}, so that no two numbers below it are scattered to the same place. */
const SPREAD = 61_803_399;

/** Scatters consecutive numbers evenly over all of eight digits. */
function scatter(n: number): number {
  return (n * SPREAD) % ID_SPACE;
}

import { DriverError } from '../../core/channels/driver.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { JsonSocket } from '../platform/json-socket.js';

/** Guilds, GuildMessages, GuildMessageReactions, DirectMessages, DirectMessageReactions, MessageContent. */
const INTENTS = [0, 9, 10, 12, 13, 15].reduce((all, bit) => all | (1 << bit), 0);
/** Pause after Discord has ended a session: at least this long and at most five times as long, in milliseconds. */
const SESSION_PAUSE_MS = 1_000;
/** Larger messages end the connection, in bytes. The largest are those about servers. */
const MAX_PAYLOAD = 64 * 1_024 * 1_024;
/** Maximum number of dispatches that are taken at once. */
const MAX_BATCH = 100;
/** Ends a connection and keeps the session: 1000 and 1001 would end both. */
const RESUME_LATER = 4_900;

/** The meaning of close codes after which another connection is useless. */
const FAULTS: Readonly<Record<number, readonly ['bad_credential' | 'misconfigured', string]>> = {
  4_004: ['bad_credential', 'Discord refuses the token'],
  4_010: ['misconfigured', 'Discord refuses the shard'],
  4_011: ['misconfigured', 'the bot is in too many servers for one connection'],
  4_012: ['misconfigured', 'Discord has no version 10 of the Gateway any more'],
  4_013: ['misconfigured', 'Discord does not know the intents'],
  4_014: [
    'misconfigured',
    'the bot lacks the MESSAGE CONTENT INTENT: turn it on at its page Bot in the Developer Portal',
  ],
};
/** Closes that end the session. */
const SESSION_ENDS = new Set([1_000, 1_001, 4_003, 4_005, 4_007, 4_009]);

/** An event. Its fields are as Discord sends them, so any may be missing. */
export interface Dispatch {
  /** Its name: `MESSAGE_CREATE`. */
  readonly t: string;
  readonly s: number;
  readonly d: unknown;
}

interface Payload {
  readonly op: number;
  readonly d?: unknown;
  readonly s?: number | null;
  readonly t?: string | null;
}

/** The parts of a {@link Gateway}. */
export interface GatewayOptions {
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when nothing new should be taken. */
  readonly signal: AbortSignal;
  /** Resolves when the dispatches are stored or ignored. */
  readonly take: (dispatches: readonly Dispatch[]) => Promise<void>;
  /** Called when a session has begun or goes on. */
  readonly onOpen: () => void;
}

/**
 * A session of Discord's Gateway. A dispatch counts as received when it is stored: a connection that resumes the session
 * gets the others again.
 */
export class Gateway {
  /** The session that can be resumed; undefined without one. */
  private session: { readonly id: string; readonly url: string } | undefined;
  /** The newest dispatch that is stored. */
  private seq: number | null = null;
  /** Time before another session may begin, in milliseconds. */
  private pauseMs = 0;

  constructor(
    private readonly options: GatewayOptions,
    private readonly url: string,
  ) {}

  /** True while the session can be resumed. */
  get isResumable(): boolean {
    return this.session !== undefined;
  }

  /**
   * Connects, resumes the session if there is one, and takes dispatches. Resolves when the connection has ended.
   * @throws DriverError when no other connection can help
   */
  async run(): Promise<void> {
    const { clock, log, signal } = this.options;
    const url = `${(this.session?.url ?? this.url).replace(/\/$/, '')}/?v=10&encoding=json`;
    const connection = new Connection(url, { clock, log }, this);
    const end = () => connection.close(1_000);
    signal.addEventListener('abort', end, { once: true });
    const code = await connection.closed;
    signal.removeEventListener('abort', end);
    if (SESSION_ENDS.has(code)) this.session = undefined;
    await clock.sleep(this.pauseMs, signal);
    const fault = FAULTS[code];
    if (fault) throw new DriverError(fault[0], `${fault[1]} (${code})`);
  }

  /** Returns the first message of a connection. */
  greet(): Payload {
    const { token } = this.options;
    if (this.session) return { op: 6, d: { token, session_id: this.session.id, seq: this.seq } };
    const properties = { os: process.platform, browser: 'openclaw', device: 'openclaw' };
    return { op: 2, d: { token, intents: INTENTS, properties } };
  }

  makeBeat(): Payload {
    return { op: 1, d: this.seq };
  }

  /** Called with READY and RESUMED as soon as they arrive. */
  begin({ t, s, d }: Dispatch): void {
    if (t === 'READY') {
      const { session_id: id, resume_gateway_url: url } = d as { session_id: string; resume_gateway_url: string };
      this.session = { id, url };
      this.seq = s;
    }
    this.options.onOpen();
  }

  /** Called when Discord has ended the session, and asks for a pause. */
  loseSession(): void {
    this.session = undefined;
    this.pauseMs = SESSION_PAUSE_MS * (1 + 4 * Math.random());
  }

  async take(batch: readonly Dispatch[]): Promise<void> {
    await this.options.take(batch);
    this.seq = batch.at(-1)?.s ?? this.seq;
  }
}

/** One connection: its dispatches in their order. */
class Connection {
  /** Resolves with the code of the close, when the dispatches under way are stored. */
  readonly closed: Promise<number>;
  private readonly socket: JsonSocket;
  private readonly queue: Dispatch[] = [];
  private work: Promise<void> | undefined;
  private isClosing = false;

  constructor(
    url: string,
    { clock, log }: Pick<GatewayOptions, 'clock' | 'log'>,
    private readonly gateway: Gateway,
  ) {
    const receive = (message: unknown) => this.receive(message as Payload);
    this.socket = new JsonSocket(url, { clock, log, maxPayload: MAX_PAYLOAD, receive });
    this.closed = this.socket.closed.then(async (code) => {
      this.forgetQueue();
      await this.work;
      return code;
    });
  }

  close(code: number): void {
    this.forgetQueue();
    this.socket.close(code);
  }

  /** Drops the events that are not stored; Discord delivers them again. */
  private forgetQueue(): void {
    this.isClosing = true;
    this.queue.length = 0;
  }

  /** Takes a message. One that is not as Discord sends them ends the connection. */
  private receive(message: Payload): void {
    if (this.isClosing) return;
    try {
      this.handle(message);
    } catch {
      this.close(RESUME_LATER);
    }
  }

  private handle({ op, d, s, t }: Payload): void {
    switch (op) {
      case 0:
        return this.enqueue({ t: String(t), s: Number(s), d });
      case 1:
        return this.socket.send(this.gateway.makeBeat());
      case 7:
        return this.close(RESUME_LATER);
      case 9:
        if (d !== true) this.gateway.loseSession();
        return this.close(RESUME_LATER);
      case 10: {
        const { heartbeat_interval: ms } = d as { heartbeat_interval: number };
        this.socket.send(this.gateway.greet());
        return this.socket.keepAlive(ms, ms * Math.random(), () => this.socket.send(this.gateway.makeBeat()));
      }
      case 11:
        return this.socket.noteAlive();
      default:
    }
  }

  private enqueue(dispatch: Dispatch): void {
    if (dispatch.t === 'READY' || dispatch.t === 'RESUMED') {
      this.socket.noteReady();
      this.gateway.begin(dispatch);
    }
    this.queue.push(dispatch);
    this.work ??= this.takeAll();
  }

  /** Never rejects: what could not be stored comes again when the session is resumed. */
  private async takeAll(): Promise<void> {
    try {
      while (this.queue.length > 0) await this.gateway.take(this.queue.splice(0, MAX_BATCH));
    } catch {
      this.close(RESUME_LATER);
    } finally {
      this.work = undefined;
    }
  }
}

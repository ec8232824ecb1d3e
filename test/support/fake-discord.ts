import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  MessageCreateRequestSchema,
  MessageEditRequestPartialSchema,
  MessageResponseSchema,
} from 'discord-api-spec/zod';
import { WebSocketServer, type WebSocket } from 'ws';
import { FakeServer, readPayload, type Failure as CallFailure } from './fake-server.js';

export const BOT_ID = '900000000000000001';
const BOT_ROLE = '910000000000000001';
export const GUILD = '500000000000000001';
export const CHANNEL = '600000000000000001';
export const BOT_TOKEN = 'OTAwMDAwMDAwMDAwMDAwMDAx.Gtest0.token-of_the-fake-0123456789abcdef';

const BOT = { id: BOT_ID, username: 'acme-helper', global_name: null, bot: true };
const EPOCH = 1_420_070_400_000;
/** The nonce of a message is compared this long, in milliseconds. */
const NONCE_MS = 180_000;
const MAX_LENGTH = 2_000;

export type Payload = Readonly<Record<string, unknown>>;

/** A row of buttons below a message. */
interface Row {
  readonly components: readonly { readonly label: string; readonly custom_id: string }[];
}

/** A message in a channel, by the bot or by a person, as the API has it. */
export interface Shown {
  readonly id: string;
  readonly channel_id: string;
  readonly author: { readonly id: string };
  content: string;
  components: readonly Row[];
  readonly attachments: readonly Payload[];
  readonly [field: string]: unknown;
}

interface Refusal {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Failure = CallFailure<Refusal>;

/** A 429 with Discord's header. */
export const tooMany = (seconds: number, more: object = {}): Failure => ({
  status: 429,
  body: { message: 'You are being rate limited.', retry_after: seconds, global: false, ...more },
  headers: { 'retry-after': String(Math.ceil(seconds)), 'x-ratelimit-scope': 'user' },
});

/** A refusal of one field of a message. */
export const refusedField = (field: string, code: string): Failure => ({
  status: 400,
  body: {
    message: 'Invalid Form Body',
    code: 50_035,
    errors: { [field]: { _errors: [{ code, message: 'made up' }] } },
  },
});

class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly body: object,
  ) {
    super(JSON.stringify(body));
  }
}

const notFound = (what: string, code: number) => new ApiError(404, { message: `Unknown ${what}`, code });

/** A session of the Gateway, with all of its events. */
interface Session {
  readonly id: string;
  readonly events: object[];
  socket: WebSocket | undefined;
}

/**
 * A server of Discord's REST API and of its Gateway, as far as the gateway uses them: it checks requests and its own messages
 * by the published specification, keeps messages, compares nonces, resumes sessions, and fails on demand.
 * `failNext` takes routes, or their ends without IDs: `POST messages`, `GET /gateway/bot`.
 */
export class FakeDiscord extends FakeServer<Payload, Refusal> {
  /** Calls in order: `POST /channels/ID/messages`, with IDs as they came. */
  readonly calls: { readonly route: string; readonly payload: Payload }[] = [];
  /** Messages of the bot, also those that are deleted. */
  readonly shown: Shown[] = [];
  /** Files by their path below `/attachments/`. */
  readonly files = new Map<string, Buffer>();
  /** The frames that the Gateway has received. */
  readonly received: Payload[] = [];
  /** With the intent Message Content. */
  applicationFlags = 1 << 19;
  /** Sessions that can still be begun. */
  remaining = 1_000;
  heartbeatMs = 41_250;
  /** False for a Gateway that is silent. */
  acknowledges = true;
  /** Code with which an IDENTIFY is refused. */
  refusal: number | undefined;
  /** How long ago messages of the bot seem to be sent, in milliseconds. */
  sentAgoMs = 0;
  /** The nonces of messages are forgotten, as after some minutes. */
  private nonceMs = NONCE_MS;
  private readonly sockets = new WebSocketServer({ server: this.server });
  private readonly channels = new Map<string, Payload>();
  private readonly history: Shown[] = [];
  private readonly deleted = new Set<string>();
  private readonly sessions: Session[] = [];
  private lastId = 0n;

  private constructor() {
    super();
    this.sockets.on('connection', (socket) => this.greet(socket));
    this.channels.set(CHANNEL, { id: CHANNEL, type: 0, guild_id: GUILD });
  }

  static start(): Promise<FakeDiscord> {
    return new FakeDiscord().listen();
  }

  /** The root of the API, for the setting. */
  get apiRoot(): string {
    return `${this.url}/api/v10`;
  }

  override close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.sockets.close();
    return super.close();
  }

  /** Returns the texts of the bot that a channel shows, in order. */
  read(channel: string): string[] {
    return this.shown
      .filter((one) => one.channel_id === channel && !this.deleted.has(one.id))
      .map(({ content }) => content);
  }

  /** Returns the payloads of the calls whose route matches. */
  callsOf(route: RegExp): Payload[] {
    return this.calls.filter((call) => route.test(call.route)).map(({ payload }) => payload);
  }

  /** Forgets the nonces of all messages, as after some minutes. */
  forgetNonces(): void {
    this.nonceMs = 0;
  }

  /** Returns an ID of the present, higher than all before. */
  makeId(time = Date.now()): string {
    const id = BigInt(time - EPOCH) << 22n;
    this.lastId = id > this.lastId ? id : this.lastId + 1n;
    return String(time < Date.now() - 1_000 ? id : this.lastId);
  }

  /** The direct chat with a person. */
  chatOf(person: string): string {
    const id = /^\d+$/.test(person) ? `7${person.slice(1)}` : `7${Buffer.from(person).readUIntBE(0, 3)}`;
    if (!this.channels.has(id)) this.channels.set(id, { id, type: 1, recipients: [{ id: person }] });
    return id;
  }

  /** Adds a channel to the server. */
  openChannel(id: string): void {
    this.channels.set(id, { id, type: 0, guild_id: GUILD });
  }

  /** A person presses a button below a message of the bot. */
  press(person: string, messageId: string, data: string, more: object = {}): void {
    const message = this.shown.find(({ id }) => id === messageId);
    const user = { id: person, username: `person${person}`, global_name: null };
    const isDirect = this.channels.get(message?.channel_id ?? '')?.['type'] === 1;
    const [id, where] = [this.makeId(), { channel_id: message?.channel_id, message: { id: messageId } }];
    this.deliver('INTERACTION_CREATE', {
      id,
      type: 3,
      token: 'press-token',
      data: { custom_id: data },
      ...(isDirect ? { user } : { guild_id: GUILD, channel_type: 0, member: { user, permissions: '0', ...more } }),
      ...where,
    });
  }

  /** Opens a thread in the channel. */
  openThread(id: string, more: object = {}): void {
    this.channels.set(id, { id, type: 11, guild_id: GUILD, parent_id: CHANNEL, ...more });
  }

  /** A person writes: in the direct chat, or in the `channel_id` given. Returns the message as Discord has it. */
  write(person: string, content: string, more: object = {}): Payload {
    const channel = (more as { channel_id?: string }).channel_id;
    const id = this.makeId();
    const message = {
      ...makeMessage(id, channel ?? this.chatOf(person), {
        id: person,
        username: `person${person}`,
        global_name: null,
      }),
      content,
      ...(channel !== undefined && { guild_id: GUILD, member: { roles: [] } }),
      channel_type: channel === undefined ? 1 : 0,
      ...more,
    } as Payload;
    this.keep(message);
    this.deliver('MESSAGE_CREATE', message);
    return message;
  }

  /** Keeps a message in its channel without an event, as while the bot is away. */
  keep(message: Payload): void {
    const { guild_id: _, member: __, channel_type: ___, ...rest } = message;
    this.history.push(rest as unknown as Shown);
  }

  /** Sends an event to all sessions, which get it once they resume if they are not connected. */
  deliver(name: string, data: object): void {
    for (const session of this.sessions) this.sendEvent(session, name, data);
  }

  /** Closes all connections. With a code of 1000, or if `isOver`, their sessions are over too. */
  disconnect(code: number, isOver = false): void {
    for (const session of this.sessions) session.socket?.close(code);
    if (isOver || code === 1_000) this.endSessions();
  }

  /** Forgets all sessions. */
  endSessions(): void {
    this.sessions.length = 0;
  }

  /** Asks all connections to resume. */
  askToReconnect(): void {
    for (const { socket } of this.sessions) send(socket, { op: 7, d: null });
  }

  /** Sends a frame as it is. */
  sendRaw(text: string): void {
    for (const { socket } of this.sessions) socket?.send(text);
  }

  get connected(): number {
    return this.sessions.filter(({ socket }) => socket).length;
  }

  private sendEvent(session: Session, name: string, data: object): void {
    const event = { op: 0, t: name, s: session.events.length + 1, d: data };
    session.events.push(event);
    send(session.socket, event);
  }

  private greet(socket: WebSocket): void {
    socket.on('error', () => {});
    socket.on('message', (data: Buffer) => this.handle(socket, JSON.parse(data.toString()) as Payload));
    socket.on('close', (code) => {
      const at = this.sessions.findIndex((session) => session.socket === socket);
      const session = this.sessions[at];
      if (session) session.socket = undefined;
      if (code === 1_000 || code === 1_001) this.sessions.splice(at, at < 0 ? 0 : 1);
    });
    send(socket, { op: 10, d: { heartbeat_interval: this.heartbeatMs } });
  }

  private handle(socket: WebSocket, payload: Payload): void {
    this.received.push(payload);
    const d = payload['d'] as Payload | null;
    if (payload['op'] === 1 && this.acknowledges) send(socket, { op: 11 });
    if (payload['op'] !== 2 && payload['op'] !== 6) return;
    if (d?.['token'] !== BOT_TOKEN) return socket.close(4_004);
    if (this.refusal !== undefined) return socket.close(this.refusal);
    if (payload['op'] === 6) return this.resume(socket, String(d['session_id']), Number(d['seq']));
    this.remaining--;
    const session: Session = { id: `session-${this.makeId()}`, events: [], socket };
    this.sessions.push(session);
    const url = this.url.replace('http', 'ws');
    const guilds = [{ id: GUILD, unavailable: true }];
    this.sendEvent(session, 'READY', { v: 10, user: BOT, guilds, session_id: session.id, resume_gateway_url: url });
    const roles = [
      { id: BOT_ROLE, permissions: '0', tags: { bot_id: BOT_ID } },
      { id: '910000000000000002', permissions: '8' },
    ];
    const all = [...this.channels.values()].filter(({ type }) => type !== 1).map((channel) => this.describe(channel));
    const [channels, threads] = [all.filter(({ type }) => type !== 11), all.filter(({ type }) => type === 11)];
    this.sendEvent(session, 'GUILD_CREATE', { id: GUILD, owner_id: '100000000000000009', roles, channels, threads });
  }

  /** Returns a channel with the ID of its newest message. */
  private describe(channel: Payload): Payload {
    const newest = this.history.findLast((one) => one.channel_id === channel['id']);
    return { ...channel, last_message_id: newest?.id ?? null };
  }

  private resume(socket: WebSocket, id: string, seq: number): void {
    const session = this.sessions.find((one) => one.id === id);
    if (!session) return send(socket, { op: 9, d: false });
    session.socket?.terminate();
    session.socket = socket;
    for (const event of session.events.slice(seq)) send(socket, event);
    this.sendEvent(session, 'RESUMED', {});
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    const { pathname, searchParams } = new URL(url, 'http://fake');
    if (pathname.startsWith('/attachments/')) return this.serveFile(pathname.slice('/attachments/'.length), response);
    const path = pathname.replace(/^\/api\/v10/, '');
    const payload = await readPayload(headers['content-type'], body, readForm);
    const route = `${method} ${path}`;
    if (headers.authorization !== `Bot ${BOT_TOKEN}`)
      return respond(response, 401, { message: '401: Unauthorized', code: 0 });
    this.calls.push({ route, payload });
    const kind = `${method} ${path.split('/').findLast((part) => part !== '' && !/^\d+$/.test(part)) ?? ''}`;
    const { isLost, refusal, losesResponse } = await this.fail(request, payload, route, kind);
    if (isLost) return;
    if (refusal) return respond(response, refusal.status, refusal.body, refusal.headers);
    try {
      const result = this.run(method, path.split('/').slice(1), payload, searchParams);
      if (losesResponse) return void request.socket.destroy();
      respond(response, result === undefined ? 204 : 200, result);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      respond(response, error.status, error.body);
    }
  }

  private serveFile(path: string, response: ServerResponse): void {
    const failure = this.takeFailure('GET file');
    if (failure && 'status' in failure) return void response.writeHead(failure.status).end();
    const bytes = this.files.get(path);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  }

  private run(method: string, path: readonly string[], payload: Payload, query: URLSearchParams): object | undefined {
    const [first, chat = '', , id = ''] = path;
    if (first === 'gateway')
      return {
        url: this.url.replace('http', 'ws'),
        shards: 1,
        session_start_limit: { total: 1_000, remaining: this.remaining, reset_after: 3_600_000, max_concurrency: 1 },
      };
    if (first === 'interactions') return undefined;
    if (path.join('/') === 'users/@me') return { id: BOT_ID, username: 'acme_helper' };
    if (path.join('/') === 'applications/@me') return { id: BOT_ID, flags: this.applicationFlags };
    if (first === 'users') return this.describe(this.channels.get(this.chatOf(String(payload['recipient_id']))) ?? {});
    const channel = this.channels.get(chat);
    if (first !== 'channels' || !channel) throw notFound('Channel', 10_003);
    switch (`${method} ${path[2] ?? ''}${id === '' ? '' : '/ID'}`) {
      case 'GET ':
        return channel;
      case 'POST typing':
        return undefined;
      case 'GET messages':
        return this.list(chat, BigInt(query.get('after') ?? 0), Number(query.get('limit') ?? 50), query.has('after'));
      case 'GET messages/ID':
        return this.find(chat, id);
      case 'POST messages':
        return this.create(chat, payload);
      case 'PATCH messages/ID':
        return this.edit(chat, id, payload);
      case 'DELETE messages/ID':
        this.deleted.add(this.find(chat, id).id);
        return undefined;
      default:
        throw new ApiError(404, { message: '404: Not Found', code: 0 });
    }
  }

  /** Newest first. With `after` the next ones, else the newest. */
  private list(chat: string, after: bigint, limit: number, isForward: boolean): Shown[] {
    const all = this.history
      .filter((one) => one.channel_id === chat && BigInt(one.id) > after && !this.deleted.has(one.id))
      .toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    return (isForward ? all.slice(0, limit) : all.slice(-limit)).toReversed();
  }

  private create(chat: string, payload: Payload): Shown {
    check(MessageCreateRequestSchema, payload);
    const file = payload['file'] as Buffer | undefined;
    const content = readContent(payload, file !== undefined);
    const { nonce, enforce_nonce: isOnce } = payload;
    const known = this.shown.find(
      (one) => one['nonce'] === nonce && one.channel_id === chat && Date.now() - Number(one['at']) < this.nonceMs,
    );
    if (isOnce && nonce !== undefined && known) {
      if (this.deleted.has(known.id)) throw notFound('Message', 10_008);
      return clean(known);
    }
    const attachments = file ? [{ id: this.makeId(), filename: String(payload['name']), size: file.length }] : [];
    const message = makeMessage(this.makeId(Date.now() - this.sentAgoMs), chat, BOT);
    check(MessageResponseSchema, { ...message, content });
    const { message_reference: reference } = payload;
    const components = (payload['components'] ?? []) as readonly Row[];
    const shown = {
      ...message,
      content,
      components,
      attachments,
      nonce,
      file,
      at: Date.now(),
      payload,
      reference,
    } as Shown;
    this.shown.push(shown);
    this.history.push(shown);
    this.deliver('MESSAGE_CREATE', clean(shown));
    return clean(shown);
  }

  private edit(chat: string, id: string, payload: Payload): Shown {
    check(MessageEditRequestPartialSchema, payload);
    const message = this.find(chat, id);
    if (message.author.id !== BOT_ID) throw new ApiError(403, { message: 'Cannot edit', code: 50_005 });
    message.content = readContent(payload, false);
    message.components = (payload['components'] ?? message.components) as readonly Row[];
    return clean(message);
  }

  private find(chat: string, id: string): Shown {
    const found = this.history.find((one) => one.id === id && one.channel_id === chat && !this.deleted.has(id));
    if (!found) throw notFound('Message', 10_008);
    return found;
  }
}

function makeMessage(id: string, channel: string, author: Payload): Shown {
  const user = { avatar: null, discriminator: '0', public_flags: 0, flags: 0, primary_guild: null, ...author };
  const lists = { mentions: [], mention_roles: [], attachments: [], embeds: [], components: [] };
  const flags = { pinned: false, mention_everyone: false, tts: false, flags: 0, type: 0 };
  const timestamp = new Date(Number(BigInt(id) >> 22n) + EPOCH).toISOString();
  return {
    id,
    channel_id: channel,
    author: user as never,
    content: '',
    timestamp,
    edited_timestamp: null,
    ...flags,
    ...lists,
  };
}

/** Returns a message without what only the fake knows. */
function clean(message: Shown): Shown {
  const { file: _, at: __, payload: ___, reference: ____, ...rest } = message;
  return rest;
}

/** @throws ApiError as Discord refuses a text */
function readContent(payload: Payload, hasFile: boolean): string {
  const content = ((payload['content'] ?? '') as string).trim();
  if (content === '' && !hasFile) throw new ApiError(400, { message: 'Cannot send an empty message', code: 50_006 });
  if (content.length > MAX_LENGTH)
    throw new ApiError(400, {
      message: 'Invalid Form Body',
      code: 50_035,
      errors: { content: { _errors: [{ code: 'BASE_TYPE_BAD_LENGTH' }] } },
    });
  return content;
}

/** @throws ApiError when a value does not follow the specification */
function check(schema: { safeParse(value: unknown): { success: boolean; error?: unknown } }, value: unknown): void {
  const { success, error } = schema.safeParse(value);
  if (!success) throw new ApiError(400, { message: `Invalid Form Body: ${String(error)}`, code: 50_035, errors: {} });
}

async function readForm(form: FormData): Promise<Payload> {
  const file = form.get('files[0]') as File;
  const payload = JSON.parse(form.get('payload_json') as string) as Payload;
  return { ...payload, file: Buffer.from(await file.arrayBuffer()), name: file.name };
}

function send(socket: WebSocket | undefined, payload: object): void {
  socket?.send(JSON.stringify(payload));
}

function respond(
  response: ServerResponse,
  status: number,
  body: object | string | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

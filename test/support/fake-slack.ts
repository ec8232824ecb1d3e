import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { FakeServer, type Failure as CallFailure } from './fake-server.js';
import { FakeSlackSockets } from './fake-slack-sockets.js';
import { page, toVisible, type Parameters, type SlackMessage } from './fake-slack-messages.js';

export const TEAM = 'T0ACME001';
export const BOT_USER = 'U0BOT0001';
export const BOT_TOKEN = 'xoxb-111-222-theFakeTokenOfTheBot';
export const APP_TOKEN = 'xapp-1-A0ACME001-theFakeTokenOfTheApp';
export const SIGNING_SECRET = '8f742231b10e8888abcd99eee888aa85';

type ErrorResponse = { readonly error: string } | { readonly status: number; readonly retryAfter?: number };

export type Failure = CallFailure<ErrorResponse>;

/** A file of a post; a redirect leads to another path. */
export interface HeldFile {
  readonly bytes: Buffer;
  readonly redirect?: string;
}

class Refusal extends Error {}

/** Tokens in a text of the bot that a gateway may write: links, and nothing that mentions anybody. */
const LINK = /^(https?:\/\/|mailto:|tel:)[^<>|]*(\|[^<>]*)?$/;

/**
 * A workspace of Slack, as far as the gateway uses it: the Web API over HTTP, and Socket Mode over WebSocket. It is ours,
 * written from Slack's documentation and the types of its SDK; no other project has checked it. It keeps events until they
 * are acknowledged, checks lengths and mentions, and fails on demand.
 */
export class FakeSlack extends FakeServer<Parameters, ErrorResponse> {
  /** Calls in order. */
  readonly calls: { readonly method: string; readonly parameters: Parameters }[] = [];
  /** All posts of people and of the bot, oldest first. */
  readonly messages: SlackMessage[] = [];
  /** Files by their path below `/files/`. */
  readonly files = new Map<string, HeldFile>();
  /** What `files.info` returns, by ID. */
  readonly fileInfos = new Map<string, object>();
  /** Fields of people that differ from the usual ones, by ID. */
  readonly people = new Map<string, object>();
  /** The scopes of the bot's token, as Slack lists them with each response; undefined if it does not. */
  scopes: readonly string[] | undefined;
  /** Texts of the bot that Slack would show otherwise than they are meant. */
  readonly faults: string[] = [];
  readonly sockets = new FakeSlackSockets(this.server);
  private readonly uploads = new Map<string, { readonly name: string; bytes?: Buffer }>();
  private count = 0;

  static start(): Promise<FakeSlack> {
    return new FakeSlack().listen();
  }

  get apiRoot(): string {
    return `${this.url}/api`;
  }

  override async close(): Promise<void> {
    await this.sockets.close();
    await super.close();
  }

  /** Returns the texts of the bot that a chat shows, oldest first, without escapes. */
  read(channel: string): string[] {
    return this.shown(channel).map(({ text }) => toVisible(text));
  }

  /** Returns the posts of the bot that a chat shows. */
  shown(channel: string): SlackMessage[] {
    return this.messages.filter((one) => one.channel === channel && one.bot_id !== undefined && !one.isDeleted);
  }

  callsOf(method: string): Parameters[] {
    return this.calls.filter((call) => call.method === method).map(({ parameters }) => parameters);
  }

  /** A person writes to the bot in their own chat, or in another one. Returns the event. */
  write(user: string, text: string, more: object = {}): Parameters {
    const event = {
      type: 'message',
      channel: `D${user}`,
      channel_type: 'im',
      user,
      team: TEAM,
      text,
      ts: this.nextTs(),
      client_msg_id: `client-${++this.count}`,
      ...more,
    };
    this.keep(event);
    this.deliver(event);
    return event;
  }

  /** A person presses a button below a post of the bot. */
  press(user: string, message: SlackMessage, value: string): void {
    const { channel, ts, thread_ts: thread } = message;
    this.sockets.deliver('interactive', {
      type: 'block_actions',
      team: { id: TEAM },
      user: { id: user, team_id: TEAM },
      channel: { id: channel },
      message: { ts, thread_ts: thread },
      actions: [{ action_id: 'button_0', value, action_ts: this.nextTs() }],
    });
  }

  /** Keeps a post without an event of it, as one that was lost. */
  keep(event: Parameters): void {
    this.messages.push({ ...event, isDeleted: false } as unknown as SlackMessage);
  }

  /** Delivers an event. Fields of its envelope may be changed. */
  deliver(event: Parameters, envelope: object = {}): void {
    this.sockets.deliver('events_api', this.wrap(event, envelope));
  }

  wrap(event: Parameters, envelope: object = {}): Parameters {
    return {
      type: 'event_callback',
      team_id: TEAM,
      context_team_id: TEAM,
      api_app_id: 'A0ACME001',
      event_id: `Ev${++this.count}`,
      event_time: Math.floor(Date.now() / 1_000),
      authorizations: [{ enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true }],
      event,
      ...envelope,
    };
  }

  /** The next time of a post: later ones are greater. */
  nextTs(ageS = 0): string {
    return `${Math.floor(Date.now() / 1_000) - ageS}.${String(++this.count).padStart(6, '0')}`;
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, rest = ''] = /^\/(api|files|upload)\/([^?]*)/.exec(request.url ?? '') ?? [];
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    if (kind === 'files') return this.serveFile(rest, request, response);
    if (kind === 'upload') return this.takeUpload(rest, body, response);
    const parameters = Object.fromEntries(new URLSearchParams(body.toString()));
    this.calls.push({ method: rest, parameters });
    const { isLost, refusal, losesResponse } = await this.fail(request, parameters, rest);
    if (isLost) return;
    if (refusal && 'status' in refusal) {
      const headers = refusal.retryAfter === undefined ? {} : { 'retry-after': String(refusal.retryAfter) };
      return void response.writeHead(refusal.status, headers).end(JSON.stringify({ ok: false, error: 'ratelimited' }));
    }
    const result = refusal
      ? { ok: false, ...refusal }
      : this.runSafely(rest, parameters, request.headers.authorization);
    if (losesResponse) return void request.socket.destroy();
    const scopes = this.scopes && { 'x-oauth-scopes': this.scopes.join(',') };
    response.writeHead(200, { 'content-type': 'application/json', ...scopes }).end(JSON.stringify(result));
  }

  private runSafely(method: string, parameters: Parameters, credential?: string): object {
    const token = method === 'apps.connections.open' ? APP_TOKEN : BOT_TOKEN;
    if (credential !== `Bearer ${token}`) return { ok: false, error: 'invalid_auth' };
    try {
      return { ok: true, ...this.run(method, parameters) };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, error: error.message };
      throw error;
    }
  }

  private run(method: string, parameters: Parameters): object {
    switch (method) {
      case 'auth.test':
        return { team_id: TEAM, team: 'Acme', user_id: BOT_USER, user: 'acme_helper', bot_id: 'B0BOT0001' };
      case 'apps.connections.open':
        return { url: `${this.url.replace('http', 'ws')}/socket?ticket=secret-ticket` };
      case 'chat.postMessage':
        return this.post(parameters);
      case 'chat.update':
        return this.update(parameters);
      case 'chat.startStream':
        return this.startStream(parameters);
      case 'chat.appendStream':
        return this.growStream(parameters);
      case 'chat.stopStream':
        return Object.assign(this.findStream(parameters), { isStreaming: false }) && {};
      case 'chat.delete':
        this.find(parameters).isDeleted = true;
        return {};
      case 'conversations.history':
      case 'conversations.replies':
        return page(this.messages, parameters);
      case 'conversations.info':
        return { channel: { id: parameters['channel'], name: `channel-${String(parameters['channel'])}` } };
      case 'conversations.open':
        return { channel: { id: `D${String(parameters['users'])}` } };
      case 'users.info':
        return { user: this.describe(String(parameters['user'])) };
      case 'assistant.threads.setStatus':
        return {};
      default:
        return this.runFiles(method, parameters);
    }
  }

  private runFiles(method: string, parameters: Parameters): object {
    const id = `F${this.count + 1}`;
    switch (method) {
      case 'files.info':
        return { file: this.fileInfos.get(String(parameters['file'])) ?? refuse('file_not_found') };
      case 'files.getUploadURLExternal':
        this.count++;
        this.uploads.set(id, { name: String(parameters['filename']) });
        return { upload_url: `${this.url}/upload/${id}`, file_id: id };
      case 'files.completeUploadExternal':
        return this.share(parameters);
      case 'files.delete':
        for (const one of this.messages) if (one.files?.[0]?.id === parameters['file']) one.isDeleted = true;
        return {};
      default:
        throw new Refusal('unknown_method');
    }
  }

  private describe(id: string): object {
    return { id, name: id.toLowerCase(), profile: { display_name: `Person ${id}` }, ...this.people.get(id) };
  }

  private post(parameters: Parameters): object {
    const text = this.checkText(parameters, 40_000);
    const message = this.show(parameters, text);
    return { ts: message.ts, channel: message.channel };
  }

  private update(parameters: Parameters): object {
    const text = this.checkText(parameters, 4_000);
    const message = this.find(parameters);
    if (message.isStreaming) throw new Refusal('streaming_state_conflict');
    Object.assign(message, { text, ...toBlocks(parameters), ...toMetadata(parameters) });
    return { ts: parameters['ts'] };
  }

  private startStream(parameters: Parameters): object {
    const { channel, thread_ts: thread, recipient_user_id: user, recipient_team_id: team } = parameters;
    if (thread === undefined) throw new Refusal('invalid_thread_ts');
    if (!String(channel).startsWith('D') && !(user && team)) throw new Refusal('missing_recipient_user_id');
    const message = this.show(parameters, this.checkText({ text: parameters['markdown_text'] }, 12_000));
    message.isStreaming = true;
    return { ts: message.ts, channel };
  }

  private growStream(parameters: Parameters): object {
    const message = this.findStream(parameters);
    message.text = this.checkText({ text: message.text + String(parameters['markdown_text']) }, 12_000);
    return { ts: message.ts };
  }

  private findStream(parameters: Parameters): SlackMessage {
    const message = this.find(parameters);
    return message.isStreaming ? message : refuse('message_not_in_streaming_state');
  }

  private share(parameters: Parameters): object {
    const [{ id, title }] = JSON.parse(String(parameters['files'])) as [
      { readonly id: string; readonly title: string },
    ];
    const upload = this.uploads.get(id) ?? refuse('file_not_found');
    this.show({ ...parameters, channel: parameters['channel_id'] }, title, [{ id, ...upload }]);
    return { files: [{ id }] };
  }

  private show(parameters: Parameters, text: string, files?: SlackMessage['files']): SlackMessage {
    const { channel, thread_ts: thread } = parameters;
    if (thread !== undefined && !this.messages.some(({ ts }) => ts === thread)) throw new Refusal('thread_not_found');
    const message: SlackMessage = {
      type: 'message',
      channel: String(channel),
      user: BOT_USER,
      bot_id: 'B0BOT0001',
      ts: this.nextTs(),
      text,
      isDeleted: false,
      ...toBlocks(parameters),
      ...(typeof thread === 'string' && { thread_ts: thread }),
      ...toMetadata(parameters),
      ...(files && { files }),
    };
    this.messages.push(message);
    return message;
  }

  private find({ channel, ts }: Parameters): SlackMessage {
    return this.shown(String(channel)).find((one) => one.ts === ts) ?? refuse('message_not_found');
  }

  /** @throws Refusal as Slack refuses it */
  private checkText({ text: given }: Parameters, maxBytes: number): string {
    const text = typeof given === 'string' ? given : '';
    if (text.trim() === '') throw new Refusal('no_text');
    if (Buffer.byteLength(text) > maxBytes) throw new Refusal('msg_too_long');
    const tokens = [...text.matchAll(/<([^>]*)>?/g)].map(([, token = '']) => token);
    if (!tokens.every((token) => LINK.test(token)) || /&(?!amp;|lt;|gt;)/.test(text)) this.faults.push(text);
    return text;
  }

  /** Without the token Slack gives a page, with status 200. */
  private serveFile(path: string, request: IncomingMessage, response: ServerResponse): void {
    const failure = this.takeFailure('file');
    if (failure && 'status' in failure) return void response.writeHead(failure.status).end();
    const file = this.files.get(path);
    if (request.headers.authorization !== `Bearer ${BOT_TOKEN}`)
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>Sign in</title>');
    if (file?.redirect !== undefined) return void response.writeHead(302, { location: file.redirect }).end();
    response.writeHead(file ? 200 : 404, { 'content-type': 'application/octet-stream' }).end(file?.bytes);
  }

  private takeUpload(id: string, bytes: Buffer, response: ServerResponse): void {
    const upload = this.uploads.get(id);
    if (upload) upload.bytes = bytes;
    response.writeHead(upload ? 200 : 404).end();
  }
}

function toMetadata({ metadata }: Parameters): Pick<SlackMessage, 'metadata'> {
  return typeof metadata === 'string' ? { metadata: JSON.parse(metadata) as object } : {};
}

function toBlocks({ blocks }: Parameters): Pick<SlackMessage, 'blocks'> {
  return typeof blocks === 'string' ? { blocks: JSON.parse(blocks) as SlackMessage['blocks'] } : {};
}

function refuse(error: string): never {
  throw new Refusal(error);
}

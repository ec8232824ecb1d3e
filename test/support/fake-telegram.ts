import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { FakeServer, readPayload, type Failure as CallFailure } from './fake-server.js';
import { parseHtml } from './telegram-html.js';

export const BOT = { id: 7_000_000_001, is_bot: true, first_name: 'Acme helper', username: 'acme_helper_bot' };
export const BOT_TOKEN = '7000000001:AAEtest-token_of-the-fake-0123456789abc';

/** A message that the bot has sent, as people see it. */
export interface ShownMessage {
  readonly id: number;
  readonly chat: string;
  text: string;
  /** As it was sent. */
  payload: Payload;
  isDeleted: boolean;
  readonly file?: Buffer | undefined;
}

export type Payload = Readonly<Record<string, unknown>>;

interface Refusal {
  readonly status: number;
  readonly description: string;
  readonly parameters?: object;
}

export type Failure = CallFailure<Refusal>;

interface Poll {
  readonly response: ServerResponse;
  readonly timer: NodeJS.Timeout;
}

/** A result of the Bot API that is an error. */
class BotError extends Error {
  constructor(
    readonly code: number,
    readonly description: string,
    readonly parameters?: object,
  ) {
    super(description);
  }
}

const bad = (description: string) => new BotError(400, `Bad Request: ${description}`);

/**
 * A server of the Bot API over HTTP, as far as the gateway uses it: it keeps updates until they are confirmed by the
 * offset, checks markup and lengths, and fails on demand.
 */
export class FakeTelegram extends FakeServer<Payload, Refusal> {
  /** Calls in order, without polls. */
  readonly calls: { readonly method: string; readonly payload: Payload }[] = [];
  /** Parameters of the polls. */
  readonly polls: Payload[] = [];
  readonly shown: ShownMessage[] = [];
  /** Files by their path and ID. */
  readonly files = new Map<string, Buffer>();
  /** The admins of all groups. */
  readonly admins = new Set<number>();
  /** The privacy mode of the bot. */
  isPrivate = false;
  webhook = '';
  private updates: Payload[] = [];
  private nextUpdate = 700_000;
  private nextMessage = 1_000;
  private waiting: Poll | undefined;

  static start(): Promise<FakeTelegram> {
    return new FakeTelegram().listen();
  }

  override close(): Promise<void> {
    clearTimeout(this.waiting?.timer);
    return super.close();
  }

  /** Number of updates that no program has confirmed. */
  get pending(): number {
    return this.updates.length;
  }

  /** Returns the texts that a chat shows, in order. */
  read(chat: number | string): string[] {
    return this.shown.filter((one) => one.chat === String(chat) && !one.isDeleted).map(({ text }) => text);
  }

  callsOf(method: string): Payload[] {
    return this.calls.filter((call) => call.method === method).map(({ payload }) => payload);
  }

  /** A person writes to the bot in their own chat. Returns the message as Telegram has it. */
  write(person: number | string, text: string, more: object = {}): Payload {
    const message = {
      message_id: this.nextMessage++,
      from: { id: person, is_bot: false, first_name: `Person ${person}` },
      chat: { id: person, type: 'private', first_name: `Person ${person}` },
      date: Math.floor(Date.now() / 1_000),
      text,
      ...more,
    };
    this.deliver({ message });
    return message;
  }

  /** Delivers an update, with an ID of its own unless it has one. */
  deliver(update: object): void {
    this.updates.push({ update_id: this.nextUpdate++, ...update });
    const poll = this.waiting;
    if (!poll) return;
    this.waiting = undefined;
    clearTimeout(poll.timer);
    // Later in this tick there may be more.
    setImmediate(() => respond(poll.response, 200, { ok: true, result: this.updates.slice(0, 100) }));
  }

  /** Numbers the next updates from lower IDs on, as Telegram does after a week of silence. */
  restartIds(): void {
    this.nextUpdate = 300;
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, root = '', token = '', rest = ''] = /^\/(file\/bot|bot)([^/]+)\/([^?]*)/.exec(request.url ?? '') ?? [];
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    if (token !== BOT_TOKEN) return respond(response, 401, { ok: false, error_code: 401, description: 'Unauthorized' });
    if (root === 'file/bot') return this.serveFile(decodeURIComponent(rest), response);
    const payload = await readPayload(request.headers['content-type'], body, readForm);
    if (rest === 'getUpdates') this.polls.push(payload);
    else this.calls.push({ method: rest, payload });
    const { isLost, refusal, losesResponse } = await this.fail(request, payload, rest);
    if (isLost) return;
    if (refusal) {
      const { status, description, parameters } = refusal;
      return respond(response, status, { ok: false, error_code: status, description, parameters });
    }
    if (rest === 'getUpdates') return this.poll(payload, response, losesResponse);
    try {
      const result = this.run(rest, payload);
      if (losesResponse) return void request.socket.destroy();
      respond(response, 200, { ok: true, result });
    } catch (error) {
      if (!(error instanceof BotError)) throw error;
      const { code, description, parameters } = error;
      respond(response, code, { ok: false, error_code: code, description, parameters });
    }
  }

  private serveFile(path: string, response: ServerResponse): void {
    const failure = this.takeFailure('file');
    if (failure && 'status' in failure) return void response.writeHead(failure.status).end();
    const bytes = this.files.get(path);
    response.writeHead(bytes ? 200 : 404).end(bytes);
  }

  private poll({ offset, timeout = 0 }: Payload, response: ServerResponse, isDropped: boolean): void {
    if (this.webhook !== '')
      return respond(response, 409, conflict("can't use getUpdates method while webhook is active"));
    if (this.waiting) {
      clearTimeout(this.waiting.timer);
      respond(this.waiting.response, 409, conflict('terminated by other getUpdates request'));
      this.waiting = undefined;
    }
    if (typeof offset === 'number') this.updates = this.updates.filter((one) => Number(one['update_id']) >= offset);
    if (isDropped) return void response.socket?.destroy();
    const send = () => respond(response, 200, { ok: true, result: this.updates.slice(0, 100) });
    if (this.updates.length > 0 || timeout === 0) return send();
    const poll: Poll = { response, timer: setTimeout(() => this.end(poll, send), Number(timeout) * 1_000) };
    response.once('close', () => this.end(poll, () => {}));
    this.waiting = poll;
  }

  private end(poll: Poll, send: () => void): void {
    if (this.waiting !== poll) return;
    this.waiting = undefined;
    clearTimeout(poll.timer);
    send();
  }

  private run(method: string, payload: Payload): unknown {
    switch (method) {
      case 'getMe':
        return { ...BOT, can_read_all_group_messages: !this.isPrivate };
      case 'getChatAdministrators':
        return [...this.admins].map((id) => ({ status: 'administrator', user: { id, is_bot: false } }));
      case 'getWebhookInfo':
        return { url: this.webhook, pending_update_count: this.updates.length };
      case 'setWebhook':
        this.webhook = String(payload['url']);
        return true;
      case 'deleteWebhook':
        this.webhook = '';
        return true;
      case 'sendMessage':
        return this.show(payload, textOf(payload, 'text', 4_096));
      case 'sendPhoto':
      case 'sendAudio':
      case 'sendVoice':
      case 'sendVideo':
      case 'sendDocument':
        return this.show(payload, textOf(payload, 'caption', 1_024), payload['file'] as Buffer);
      case 'editMessageText':
        return this.edit(payload);
      case 'editMessageReplyMarkup':
        return (this.find(payload).payload = { ...this.find(payload).payload, reply_markup: payload['reply_markup'] });
      case 'deleteMessage':
        this.find(payload).isDeleted = true;
        return true;
      case 'getFile':
        if (!this.files.has(String(payload['file_id'])))
          throw bad('wrong file_id or the file is temporarily unavailable');
        return { file_id: payload['file_id'], file_path: payload['file_id'] };
      case 'getChatMember':
        return { status: 'member', user: { id: payload['user_id'] } };
      case 'sendChatAction':
      case 'answerCallbackQuery':
        return true;
      default:
        throw new BotError(404, 'Not Found');
    }
  }

  private show(payload: Payload, text: string, file?: Buffer): object {
    const message = { id: this.nextMessage++, chat: String(payload['chat_id']), text, payload, isDeleted: false, file };
    this.shown.push(message);
    return { message_id: message.id, date: Math.floor(Date.now() / 1_000), chat: { id: payload['chat_id'] }, text };
  }

  private edit(payload: Payload): object {
    const message = this.find(payload);
    const text = textOf(payload, 'text', 4_096);
    const isSame = message.text === text && isDeepStrictEqual(message.payload['reply_markup'], payload['reply_markup']);
    if (isSame)
      throw bad('message is not modified: specified new message content and reply markup are exactly the same');
    message.text = text;
    message.payload = { ...message.payload, reply_markup: undefined, ...payload };
    return { message_id: message.id, text };
  }

  private find({ chat_id: chat, message_id: id }: Payload): ShownMessage {
    const found = this.shown.find((one) => one.id === id && one.chat === String(chat) && !one.isDeleted);
    if (!found) throw bad('message to edit not found');
    return found;
  }
}

/** Returns the text that people see. @throws BotError as Telegram refuses it */
function textOf(payload: Payload, field: string, max: number): string {
  const given = (payload[field] ?? '') as string;
  const parsed = payload['parse_mode'] === 'HTML' ? parseHtml(given) : { text: given };
  if ('fault' in parsed) throw bad(`can't parse entities: ${parsed.fault}`);
  const text = parsed.text.trim();
  if (field === 'text' && text === '') throw bad('message text is empty');
  if (text.length > max) throw bad(field === 'text' ? 'message is too long' : 'message caption is too long');
  return text;
}

async function readForm(form: FormData): Promise<Payload> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) {
    if (typeof value === 'string') fields[name] = parse(value);
    else Object.assign(fields, { file: Buffer.from(await value.arrayBuffer()), file_name: value.name });
  }
  return fields;
}

function parse(text: string): unknown {
  return /^[[{]/.test(text) ? JSON.parse(text) : text;
}

const conflict = (reason: string) => ({ ok: false, error_code: 409, description: `Conflict: ${reason}` });

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { FakeServer, readPayload, type Failure as CallFailure } from './fake-server.js';

export const PHONE_NUMBER_ID = '106540352200001';
export const OWN_NUMBER = '15550783001';
export const ACCESS_TOKEN = 'EAAtest-token-of-the-fake-0123456789';
export const APP_SECRET = 'secret-of-the-app-0123456789abcdef';
export const VERIFY_TOKEN = 'verify-token-of-the-test';

export type Payload = Readonly<Record<string, unknown>>;

/** A message that the account has sent, as people see it. */
export interface ShownMessage {
  readonly id: string;
  readonly chat: string;
  readonly text: string;
  readonly payload: Payload;
  readonly file?: Buffer | undefined;
}

interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly details?: string;
  readonly headers?: object;
}

export type Failure = CallFailure<Refusal>;

/** A result of the Graph API that is an error. */
class GraphError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    readonly details: string,
  ) {
    super(details);
  }
}

/** The pause before a delivery that was not taken is made again, in milliseconds; the platform waits longer. */
const RETRY_MS = 50;

/**
 * A server of the Cloud API over HTTP, as far as the gateway uses it, which delivers to a webhook: signed, one at a time, and
 * again until the response is 200. It checks lengths and recipients, reports statuses, and fails on demand. It is made for
 * these tests, from the documents of the platform; no other server of this API was at hand to compare it with.
 */
export class FakeWhatsapp extends FakeServer<Payload, Refusal> {
  /** Calls in order, by the last part of their path: `messages`, `media`, `number`, or `file`. */
  readonly calls: { readonly method: string; readonly payload: Payload }[] = [];
  readonly shown: ShownMessage[] = [];
  /** Files by their IDs. */
  readonly files = new Map<string, Buffer>();
  /** The URL that people's messages are delivered to, without a path; empty while there is no gateway. */
  target = '';
  /** Statuses are delivered, as `biz_opaque_callback_data` allows. */
  sendsStatuses = true;
  /** Time after which they are, in milliseconds. */
  statusDelayMs = 0;
  /** Decides how many more times, and how late, a delivery comes. */
  repeats: () => number = () => 0;
  private readonly queue: string[] = [];
  private isDelivering = false;
  private isClosed = false;
  private next = 1;

  static start(): Promise<FakeWhatsapp> {
    return new FakeWhatsapp().listen();
  }

  override close(): Promise<void> {
    this.isClosed = true;
    return super.close();
  }

  /** Number of deliveries that no program has taken. */
  get pending(): number {
    return this.queue.length + (this.isDelivering ? 1 : 0);
  }

  /** Returns the texts that a chat shows, in order. */
  read(chat: string): string[] {
    return this.shown.filter((one) => one.chat === chat).map(({ text }) => text);
  }

  /** Returns the payloads of the messages that the account has sent. */
  get sent(): Payload[] {
    return this.calls.filter(({ method }) => method === 'messages').map(({ payload }) => payload);
  }

  /** A person writes: by number, or by a business-scoped ID, which is no number. Returns the message. */
  write(person: string, text: string, more: object = {}): Payload {
    const from = /^\d+$/.test(person) ? { from: person } : { from_user_id: person };
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const message = { ...from, id: `wamid.IN${this.next++}`, timestamp, type: 'text', text: { body: text }, ...more };
    this.deliverMessage(message);
    return message;
  }

  /** Delivers a message, possibly again. */
  deliverMessage(message: Payload): void {
    const { from, from_user_id: user } = message;
    const ids = { ...(from !== undefined && { wa_id: from }), ...(user !== undefined && { user_id: user }) };
    this.deliver(
      wrap({ contacts: [{ profile: { name: `Person ${String(user ?? from)}` }, ...ids }], messages: [message] }),
    );
  }

  /** Delivers a body, in the order of the calls. */
  deliver(body: unknown): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    for (let times = 0; times <= this.repeats(); times++) this.queue.push(text);
    if (!this.isDelivering) void this.work();
  }

  /** Makes one delivery, by hand. Returns the HTTP status. */
  async post(body: string, { signature = signOf(body), account = 'default' } = {}): Promise<number> {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
    return (await fetch(`${this.target}/channels/whatsapp/${account}`, { method: 'POST', headers, body })).status;
  }

  private async work(): Promise<void> {
    this.isDelivering = true;
    while (this.queue.length > 0 && !this.isClosed) {
      const status = this.target === '' ? 0 : await this.post(this.queue[0] ?? '').catch(() => 0);
      if (status === 200) this.queue.shift();
      else await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.isDelivering = false;
  }

  protected override async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', this.url);
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    const payload = await readPayload(request.headers['content-type'], body, readForm);
    const method = methodOf(request.method ?? '', pathname);
    this.calls.push({ method, payload });
    const { isLost, refusal, losesResponse } = await this.fail(request, payload, method);
    if (isLost) return;
    try {
      if (request.headers.authorization !== `Bearer ${ACCESS_TOKEN}`)
        throw new GraphError(401, 190, 'Error validating access token');
      if (refusal) return respondWith(response, refusal);
      if (method === 'file') return this.serveFile(pathname, response);
      const result = this.run(method, pathname, payload);
      if (losesResponse) return void request.socket.destroy();
      respond(response, 200, result);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      respondWith(response, error);
    }
  }

  private serveFile(path: string, response: ServerResponse): void {
    const bytes = this.files.get(decodeURIComponent(path.slice('/files/'.length)));
    response.writeHead(bytes ? 200 : 404).end(bytes);
  }

  private run(method: string, path: string, payload: Payload): object {
    switch (method) {
      case 'number':
        if (path !== `/${PHONE_NUMBER_ID}`) throw new GraphError(400, 100, 'Object does not exist');
        return { display_phone_number: `+1 ${OWN_NUMBER.slice(1)}`, id: PHONE_NUMBER_ID };
      case 'media': {
        const id = `media-${this.next++}`;
        this.files.set(id, payload['file'] as Buffer);
        return { id };
      }
      case 'url': {
        const id = decodeURIComponent(path.slice(1));
        const bytes = this.files.get(id);
        if (!bytes) throw new GraphError(400, 100, 'Media does not exist');
        return { url: `${this.url}/files/${encodeURIComponent(id)}`, file_size: bytes.length, id };
      }
      case 'messages':
        return payload['status'] === 'read' ? { success: true } : this.show(payload);
      default:
        throw new GraphError(404, 2_500, 'Unknown path');
    }
  }

  private show(payload: Payload): object {
    const { to, recipient, type, biz_opaque_callback_data: partId } = payload as Readonly<Record<string, string>>;
    if (to !== undefined && !/^(\d+|group-.+)$/.test(to)) return { messages: [{ id: `wamid.NOWHERE${this.next++}` }] };
    const content = payload[String(type)] as Payload;
    const text = readText(content);
    if (type === 'text' && text.trim() === '') throw new GraphError(400, 131_009, 'The text is empty');
    if (text.length > (type === 'text' ? 4_096 : 1_024)) throw new GraphError(400, 131_009, 'The text is too long');
    const file = type === 'text' ? undefined : this.files.get(String(content['id']));
    const message = { id: `wamid.OUT${this.next++}`, chat: String(to ?? recipient), text, payload, file };
    this.shown.push(message);
    const report = () => this.deliver(wrap({ statuses: [statusOf(message.id, 'sent', partId)] }));
    if (this.sendsStatuses) setTimeout(report, this.statusDelayMs);
    return { messaging_product: 'whatsapp', messages: [{ id: message.id }] };
  }
}

/** Returns the text of a message, of a file or above buttons. */
function readText({ body, caption }: Payload): string {
  if (typeof body === 'string') return body;
  if (typeof caption === 'string') return caption;
  return typeof body === 'object' && body !== null ? String((body as { readonly text?: string }).text) : '';
}

/** Returns the body of a delivery for the number of the account. */
export function wrap(value: object): object {
  const metadata = { display_phone_number: OWN_NUMBER, phone_number_id: PHONE_NUMBER_ID };
  const change = { field: 'messages', value: { messaging_product: 'whatsapp', metadata, ...value } };
  return { object: 'whatsapp_business_account', entry: [{ id: '102290129300001', changes: [change] }] };
}

/** Returns a status of a message. */
export function statusOf(id: string, status: string, partId: unknown, more: object = {}): object {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return { id, status, timestamp, ...(partId !== undefined && { biz_opaque_callback_data: partId }), ...more };
}

/** Returns the header `X-Hub-Signature-256` of a body. */
export function signOf(body: string, secret = APP_SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function methodOf(verb: string, path: string): string {
  if (path.startsWith('/files/')) return 'file';
  if (verb === 'POST') return path.split('/').at(-1) ?? '';
  return /^\/\d+$/.test(path) ? 'number' : 'url';
}

async function readForm(form: FormData): Promise<Payload> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form)
    fields[name] = typeof value === 'string' ? value : Buffer.from(await value.arrayBuffer());
  return fields;
}

function respondWith(response: ServerResponse, failure: Refusal | GraphError): void {
  const { status, code, details = 'made up' } = failure;
  const error = { message: `(#${code}) ${details}`, type: 'OAuthException', code, error_data: { details } };
  respond(response, status, { error }, 'headers' in failure ? failure.headers : {});
}

function respond(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { readBody, toNetworkError } from '../../core/channels/network-error.js';
import type { EgressFetch } from '../../http/egress-fetch.js';
import { toRaw, toText, type Raw } from '../../core/channels/raw.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 10_000;
/** Time limit of a call that sends a file, or downloads one, in milliseconds. */
const FILE_TIMEOUT_MS = 60_000;
/** Pause after a 429 that names none, in milliseconds. */
const LIMITED_MS = 4_000;
/** Pause after {@link SPAM_LIMIT}, in milliseconds. */
const SPAM_MS = 60_000;

/** Classes of codes. Codes from 200 to 299 are about permissions, as 10 is; all others are refusals of the one call. */
const CLASSES: ReadonlyMap<number, 'credential' | 'account' | 'limit' | 'unknown'> = new Map([
  ...[0, 3, 10, 102, 190].map((code) => [code, 'credential'] as const),
  // Locked, without a method of payment, or not registered.
  ...[368, 131_031, 131_042, 131_045, 133_010].map((code) => [code, 'account'] as const),
  // Limits of the app, the business, the number, or one person.
  ...[4, 613, 80_007, 130_429, 131_048, 131_056, 131_057, 133_016].map((code) => [code, 'limit'] as const),
  // The platform does not say whether it has carried the call out.
  ...[1, 2, 131_000, 131_016].map((code) => [code, 'unknown'] as const),
]);
/** The platform has named the account a sender of spam. */
const SPAM_LIMIT = 131_048;
/** Too many messages to the same person. It comes without a time to wait. */
export const PAIR_LIMIT = 131_056;
/** More than 24 hours have passed since the person has written. */
const WINDOW_CLOSED = 131_047;
/** Codes of values that the platform does not take, for example a message to reply to that is gone. */
const ODD_VALUES = new Set([100, 131_008, 131_009]);

/** The platform has refused a call. */
export class RefusedCallError extends DeliveryError {
  /** @param code the code of the Graph API, for example 131047 */
  constructor(
    readonly code: number,
    description: string,
  ) {
    super('refused', describeRefusal(code, description));
  }

  /** True if a value of the call is the reason, and not the person or the account. */
  get isOddValue(): boolean {
    return ODD_VALUES.has(this.code);
  }
}

/** The platform takes nothing more for the moment. */
export class LimitedCallError extends DeliveryError {
  /** @param code the code of the Graph API, for example 131056 */
  constructor(
    readonly code: number,
    description: string,
    retryAfterMs: number,
  ) {
    super('not_sent', `${code} ${description}`, retryAfterMs);
  }
}

/** Returns why a message was refused, also when a status says it later. */
export function describeRefusal(code: number, description: string): string {
  if (code !== WINDOW_CLOSED) return `${code} ${description}`;
  return `${code}: more than 24 hours have passed since this person last wrote; WhatsApp takes only templates then (${description})`;
}

/** The body of a call: JSON, or a file in a form. */
interface CallBody {
  readonly type: string;
  readonly bytes: string | Uint8Array;
}

/**
 * The Graph API for one phone number, as far as the gateway uses it. Each call is made once, with a time limit. No error has
 * the token or a URL.
 */
export class CloudApi {
  /**
   * @param root the URL of the server, without a slash at the end
   * @param noteTime called with the time of the server, in Unix milliseconds
   */
  constructor(
    private readonly token: string,
    private readonly phoneNumberId: string,
    private readonly root: string,
    private readonly fetch: EgressFetch,
    private readonly noteTime: (time: number) => void,
  ) {}

  /** Reads the number, as people see it, in digits. @throws RefusedCallError, DeliveryError, DriverError */
  async readNumber(): Promise<string> {
    const { display_phone_number: number } = await this.call('GET', '?fields=display_phone_number');
    return String(number).replaceAll(/\D/g, '');
  }

  /**
   * Sends a message, or marks one as read. Resolves with the ID of the message.
   * @throws RefusedCallError, DeliveryError, DriverError
   */
  async post(message: Raw): Promise<string> {
    const body = { messaging_product: 'whatsapp', ...message };
    const response = await this.call('POST', '/messages', { type: 'application/json', bytes: JSON.stringify(body) });
    const [sent] = Array.isArray(response['messages']) ? (response['messages'] as unknown[]) : [];
    return toText(toRaw(sent)['id']) ?? '';
  }

  /** Stores a file for messages. Resolves with its ID. @throws as {@link post} */
  async upload(bytes: Uint8Array, mimeType: string, name: string): Promise<string> {
    const form = new FormData();
    form.set('messaging_product', 'whatsapp');
    form.set('type', mimeType);
    form.set('file', new Blob([new Uint8Array(bytes)], { type: mimeType }), name);
    const encoded = new Response(form);
    const body = {
      type: encoded.headers.get('content-type') ?? '',
      bytes: new Uint8Array(await encoded.arrayBuffer()),
    };
    const { id } = await this.call('POST', '/media', body, FILE_TIMEOUT_MS);
    return String(id);
  }

  /**
   * Opens a file of a message. Its URL is valid for five minutes, so it is asked for each time.
   * @throws RefusedCallError, DeliveryError, DriverError
   */
  async open(mediaId: string, maxBytes: number): Promise<AsyncIterable<Uint8Array>> {
    const path = `/${encodeURIComponent(mediaId)}?phone_number_id=${this.phoneNumberId}`;
    const { url, file_size: size } = await this.request('GET', this.root + path);
    if (Number(size ?? 0) > maxBytes) throw new DeliveryError('refused', `it has more than ${maxBytes} bytes`);
    const target = URL.parse(String(url));
    if (!target || !this.isOwnHost(target)) throw new DeliveryError('refused', 'its address is not one of WhatsApp');
    const response = await this.send('GET', target.href, undefined, FILE_TIMEOUT_MS);
    if (response.ok && response.body) return readBody(response.body, 'WhatsApp');
    await response.body?.cancel();
    const { status } = response;
    const outcome = status >= 500 || status === 429 || status === 401 ? 'not_sent' : 'refused';
    throw new DeliveryError(outcome, `a file could not be fetched: HTTP ${status}`);
  }

  /** The token goes along, so no other host gets the request. */
  private isOwnHost({ protocol, hostname, origin }: URL): boolean {
    if (origin === new URL(this.root).origin) return true;
    return protocol === 'https:' && /(^|\.)(fbsbx\.com|facebook\.com|whatsapp\.net)$/.test(hostname);
  }

  private call(method: string, path: string, body?: CallBody, timeoutMs?: number): Promise<Raw> {
    return this.request(method, `${this.root}/${this.phoneNumberId}${path}`, body, timeoutMs);
  }

  private async request(method: string, url: string, body?: CallBody, timeoutMs = CALL_TIMEOUT_MS): Promise<Raw> {
    const response = await this.send(method, url, body, timeoutMs);
    const time = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(time)) this.noteTime(time);
    const text = await response.text().catch((error: unknown) => {
      throw toNetworkError(error, 'WhatsApp');
    });
    const result = parse(text);
    if (response.ok && result) return result;
    throw toRefusal(response, toRaw(result?.['error']));
  }

  private async send(method: string, url: string, body: CallBody | undefined, timeoutMs: number): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...(body && { 'content-type': body.type }) };
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await this.fetch(url, { method, headers, signal, redirect: 'error', ...(body && { body: body.bytes }) });
    } catch (error) {
      throw toNetworkError(error, 'WhatsApp');
    }
  }
}

function parse(text: string): Raw | undefined {
  try {
    return toRaw(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function toRefusal({ status, headers }: Response, { code: given, message, error_data: data }: Raw): Error {
  const code = typeof given === 'number' ? given : status;
  const description = toText(toRaw(data)['details']) ?? toText(message) ?? `HTTP ${status}`;
  switch (classOf(code, status)) {
    case 'credential':
      return new DriverError('bad_credential', `WhatsApp refuses the token: ${code}`);
    case 'account':
      return new DriverError('misconfigured', `${code} ${description}`);
    case 'limit': {
      const seconds = Number(headers.get('retry-after') ?? Number.NaN);
      const usual = code === SPAM_LIMIT ? SPAM_MS : LIMITED_MS;
      return new LimitedCallError(code, description, seconds > 0 ? seconds * 1_000 : usual);
    }
    case 'unknown':
      return new DeliveryError('unknown', `${code} ${description}`);
    default:
      return new RefusedCallError(code, description);
  }
}

function classOf(code: number, status: number): ReturnType<typeof CLASSES.get> {
  if (status === 401 || (code >= 200 && code < 300)) return 'credential';
  return CLASSES.get(code) ?? (status === 429 ? 'limit' : status >= 500 ? 'unknown' : undefined);
}

import { DeliveryError } from '../../core/channels/driver.js';
import { toRaw, toRaws, toText, type Raw } from '../../core/channels/kit/raw.js';
import { asJson, asMultipart, type SentFile } from '../platform/bodies.js';
import {
  bearer,
  FILE_TIMEOUT_MS,
  HttpApi,
  toMs,
  type ApiOptions,
  type ApiResponse,
  type CallInit,
} from '../platform/http-api.js';
import { beforeEffect, isRefused, toRef, type Codes, type Verdict } from '../platform/verdict.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 10_000;
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
export const ODD_VALUES: Codes = new Set([100, 131_008, 131_009]);
/** The address of a file is valid for a few minutes only. */
const EXPIRED: Codes = new Set([401]);

/** Returns the words for a code, also when a status says it later. */
export function describeRefusal(code: number, description: string): string {
  if (code !== WINDOW_CLOSED) return description;
  return `more than 24 hours have passed since this person last wrote; WhatsApp takes only templates then (${description})`;
}

/** The Graph API for one phone number, as far as the gateway uses it. */
export class CloudApi {
  private readonly http: HttpApi;

  constructor(
    options: ApiOptions,
    private readonly phoneNumberId: string,
  ) {
    const headers = bearer(options.token);
    const ownHosts = /(^|\.)(fbsbx\.com|facebook\.com|whatsapp\.net)$/;
    this.http = new HttpApi({ ...options, platform: 'WhatsApp', headers, ownHosts, judge });
  }

  /** Reads the number, as people see it, in digits. @throws as {@link HttpApi.call} */
  async readNumber(): Promise<string> {
    const { display_phone_number: number } = await this.call('phone_number_id', '?fields=display_phone_number', {
      method: 'GET',
    });
    return String(number).replaceAll(/\D/g, '');
  }

  /**
   * Sends a message. Resolves with its ID.
   * @throws as {@link HttpApi.call}
   */
  async post(message: Raw): Promise<string> {
    const [sent = {}] = toRaws((await this.callMessages(message))['messages']);
    return toRef(sent['id']);
  }

  /** Marks a message as read. @throws as {@link HttpApi.call} */
  async mark(status: Raw): Promise<void> {
    await this.callMessages(status);
  }

  /**
   * Stores a file for messages. Resolves with its ID. One that is stored again leaves a file that no message shows.
   * @throws as {@link HttpApi.call}
   */
  async upload(file: SentFile): Promise<string> {
    const body = await asMultipart({ messaging_product: 'whatsapp', type: file.mimeType }, { file });
    const { id } = await beforeEffect(this.call('media', '/media', { body, timeoutMs: FILE_TIMEOUT_MS }));
    return String(id);
  }

  /**
   * Opens a file of a message. Its URL is valid for five minutes, so it is asked for each time.
   * @throws as {@link HttpApi.call} and {@link HttpApi.open}
   */
  async open(mediaId: string, maxBytes: number): Promise<AsyncIterable<Uint8Array>> {
    const path = `/${encodeURIComponent(mediaId)}?phone_number_id=${this.phoneNumberId}`;
    const { url, file_size: size } = toRaw(
      (await this.http.call('file', path, { method: 'GET', timeoutMs: CALL_TIMEOUT_MS })).body,
    );
    if (Number(size ?? 0) > maxBytes) throw new DeliveryError('refused', `it has more than ${maxBytes} bytes`);
    try {
      return (await this.http.open(String(url))).body;
    } catch (error) {
      throw isRefused(error, EXPIRED) ? new DeliveryError('not_sent', error.message) : error;
    }
  }

  private callMessages(message: Raw): Promise<Raw> {
    return this.call('messages', '/messages', { body: asJson({ messaging_product: 'whatsapp', ...message }) });
  }

  private async call(name: string, path: string, init: CallInit): Promise<Raw> {
    const all = { timeoutMs: CALL_TIMEOUT_MS, ...init };
    return toRaw((await this.http.call(name, `/${this.phoneNumberId}${path}`, all)).body);
  }
}

function judge({ status, isOk, headers, body }: ApiResponse): Verdict | undefined {
  if (isOk) return body === undefined ? { kind: 'unknown', code: `HTTP ${status}` } : undefined;
  const { code: given, message, error_data: data } = toRaw(toRaw(body)['error']);
  const code = typeof given === 'number' ? given : status;
  const words = describeRefusal(code, toText(toRaw(data)['details']) ?? toText(message) ?? `HTTP ${status}`);
  const kind = classOf(code, status);
  if (kind !== 'limit') return { kind, code, words };
  const waitMs = toMs(headers.get('retry-after')) ?? (code === SPAM_LIMIT ? SPAM_MS : LIMITED_MS);
  return { kind, code, words, waitMs, holds: code === PAIR_LIMIT ? undefined : 'all' };
}

function classOf(code: number, status: number): Verdict['kind'] {
  if (status === 401 || (code >= 200 && code < 300)) return 'credential';
  return CLASSES.get(code) ?? (status === 429 ? 'limit' : status >= 500 ? 'unknown' : 'refused');
}

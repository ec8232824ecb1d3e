import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { readBody, toNetworkError } from '../../core/channels/network-error.js';
import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress-fetch.js';
import { toRaw, toText, type Raw } from '../../core/channels/raw.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 25_000;
/** Time limit of a transfer of a file, in milliseconds. */
const FILE_TIMEOUT_MS = 60_000;
/** The wait after a 429 that names none, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000;
const MAX_REDIRECTS = 5;
const FORM = 'application/x-www-form-urlencoded; charset=utf-8';
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const BAD_CREDENTIAL = new Set(
  'invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type'.split(' '),
);
/** Slack's own faults: the call may have had its effect. */
const UNCERTAIN = new Set('internal_error fatal_error service_unavailable request_timeout'.split(' '));

/** Slack has refused a call. */
export class RefusedCallError extends DeliveryError {
  /** @param code as in the response, for example `channel_not_found` */
  constructor(
    readonly method: string,
    readonly code: string,
  ) {
    super('refused', `${method}: ${code}`);
  }
}

/** The parts of a {@link WebApi}. */
export interface WebApiOptions {
  /** The URL of the server, without a slash at the end. */
  readonly root: string;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  /** Called with the time of the server, in Unix milliseconds. */
  readonly noteTime: (time: number) => void;
}

/**
 * The Web API with the token of a bot. Each call is made once, with a time limit. A method that Slack limits for the
 * workspace is not called before the time that Slack has named; `chat.postMessage` is limited for one chat, which waits.
 */
export class WebApi {
  /** When a method may be called again, by the monotonic clock. */
  private readonly limited = new Map<string, number>();

  constructor(
    private readonly token: string,
    private readonly options: WebApiOptions,
  ) {}

  /**
   * Calls a method.
   * @param token another token than that of the bot
   * @throws DriverError `bad_credential`; RefusedCallError; DeliveryError `not_sent` after a 429 and when the server could
   *   not be reached, `unknown` when the response was lost
   */
  async call(method: string, parameters: Raw = {}, token = this.token): Promise<Raw> {
    this.checkLimit(method);
    const response = await this.request(`${this.options.root}/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': FORM },
      body: toForm(parameters),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const result = toRaw(await response.json().catch(() => undefined));
    const time = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(time)) this.options.noteTime(time);
    if (response.ok && result['ok'] === true) return result;
    throw this.toError(method, response, toText(result['error']));
  }

  /**
   * Opens a file. The token goes to servers of Slack only, also when one redirects to another.
   * @throws RefusedCallError; DeliveryError when it can be tried again
   */
  async open(address: string): Promise<{ readonly type: string; readonly body: AsyncIterable<Uint8Array> }> {
    let url = address;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      if (!this.isOwn(url)) throw new RefusedCallError('file', 'not a file of Slack');
      const response = await this.request(url, {
        headers: { authorization: `Bearer ${this.token}` },
        signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
      });
      const { status, headers, body } = response;
      const location = headers.get('location');
      if (REDIRECTS.has(status) && location !== null) url = new URL(location, url).href;
      else if (status === 429 || status >= 500) throw new DeliveryError('not_sent', `a file: HTTP ${status}`);
      else if (!response.ok || !body) throw new RefusedCallError('file', `HTTP ${status}`);
      else return { type: headers.get('content-type') ?? '', body: readBody(body, 'Slack') };
    }
    throw new RefusedCallError('file', 'too many redirects');
  }

  /** Uploads a file to an address that Slack has given. @throws RefusedCallError, DeliveryError */
  async upload(address: string, body: Uint8Array): Promise<void> {
    const signal = AbortSignal.timeout(FILE_TIMEOUT_MS);
    const { ok, status } = await this.request(address, { method: 'POST', body, signal });
    // The file is not shared yet, so nothing has happened that people see.
    if (!ok) throw new DeliveryError('not_sent', `a file could not be uploaded: HTTP ${status}`);
  }

  private isOwn(address: string): boolean {
    if (!URL.canParse(address)) return false;
    const { protocol, hostname, origin } = new URL(address);
    if (origin === new URL(this.options.root).origin) return true;
    return protocol === 'https:' && /(^|\.)slack\.com$/.test(hostname);
  }

  private async request(url: string, init: Parameters<EgressFetch>[1]): Promise<Response> {
    return this.options.fetch(url, init).catch((error: unknown) => {
      throw toNetworkError(error, 'Slack');
    });
  }

  private checkLimit(method: string): void {
    const waitMs = (this.limited.get(method) ?? 0) - this.options.clock.elapsed();
    if (waitMs > 0) throw new DeliveryError('not_sent', `${method} is limited by Slack`, waitMs);
  }

  private toError(method: string, { status, headers }: Response, code?: string): Error {
    if (status === 429 || code === 'ratelimited' || code === 'rate_limited') {
      const waitMs = Number(headers.get('retry-after')) * 1_000 || DEFAULT_WAIT_MS;
      if (method !== 'chat.postMessage') this.limited.set(method, this.options.clock.elapsed() + waitMs);
      return new DeliveryError('not_sent', `${method}: too many requests, again in ${waitMs / 1_000} s`, waitMs);
    }
    if (code !== undefined && BAD_CREDENTIAL.has(code))
      return new DriverError('bad_credential', `Slack refuses the token: ${code}`);
    if (code === undefined || status >= 500 || UNCERTAIN.has(code))
      return new DeliveryError('unknown', `${method}: ${code ?? `HTTP ${status}`}`);
    return new RefusedCallError(method, code);
  }
}

function toForm(parameters: Raw): string {
  const fields = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return new URLSearchParams(
    fields.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  ).toString();
}

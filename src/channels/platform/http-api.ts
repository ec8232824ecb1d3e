import { BoundedMap } from '../../core/cache/bounded-map.js';
import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { readBody, toNetworkError } from '../../core/channels/kit/network-error.js';
import type { Clock } from '../../core/time/clock.js';
import { egressFetch, type EgressFetch } from '../../http/egress/egress-fetch.js';
import { parseJson, type EncodedBody } from './bodies.js';
import { LimitedCallError, RefusedCallError, type Verdict } from './verdict.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 25_000;
/** Time limit of a call that transfers a file, in milliseconds. */
export const FILE_TIMEOUT_MS = 60_000;
const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Number of calls, by their names, whose limits are remembered. */
const MAX_NAMES = 10_000;

/** The parts of an {@link HttpApi} that differ by account. */
export interface ApiOptions {
  readonly token: string;
  /** The URL of the server, without a slash at the end. */
  readonly root: string;
  readonly clock: Clock;
  /** Called with the time of the server, in Unix milliseconds. */
  readonly noteTime?: (time: number) => void;
  readonly fetch?: EgressFetch;
}

export interface PlatformRules {
  /** For messages: `Slack`. */
  readonly platform: string;
  /** Headers of each request, with the credential. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The platform's own hosts besides that of the API. Files are fetched from no other. */
  readonly ownHosts?: RegExp;
  /** A call waits this long for its turn at most, in milliseconds; a longer wait is left to the caller. 0 by default. */
  readonly patienceMs?: number;
  /** Returns why a response is a failure; undefined for a success. */
  readonly judge: (response: ApiResponse, name: string) => Verdict | undefined;
}

/** A response. `body` is the value of its JSON, undefined without any. */
export interface ApiResponse {
  readonly status: number;
  readonly isOk: boolean;
  readonly headers: Headers;
  readonly body: unknown;
}

/** The parts of a call besides its name and its path. */
export interface CallInit {
  /** `POST` by default. */
  readonly method?: string;
  /** In place of those of all requests. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: EncodedBody;
  readonly timeoutMs?: number;
  /** Aborts the call; its outcome is unknown then. */
  readonly signal?: AbortSignal;
}

/**
 * The HTTP API of a platform for one account. Each call is made once, with a time limit, and not before its turn by the
 * limits that the platform has named. No error has a URL, which may contain the credential.
 */
export class HttpApi {
  /** When calls may be made again, by their names and by the monotonic clock. */
  private readonly turns = new BoundedMap<string, number>(MAX_NAMES);
  private turnOfAll = 0;

  constructor(private readonly options: ApiOptions & PlatformRules) {}

  /**
   * Makes a call.
   * @param name for messages, and what limits count by
   * @throws DriverError `bad_credential`, `misconfigured`; RefusedCallError; LimitedCallError; DeliveryError `not_sent` when
   *   the server could not be reached, `unknown` when the response was lost
   */
  async call(name: string, path: string, init: CallInit = {}): Promise<ApiResponse> {
    await this.waitForTurn(name);
    const response = await this.request(this.options.root + path, { method: 'POST', redirect: 'error', ...init });
    const { status, ok: isOk, headers } = response;
    const text = await response.text().catch((error: unknown) => {
      throw toNetworkError(error, this.options.platform);
    });
    const read = { status, isOk, headers, body: parseJson(text) };
    this.note(name, headers);
    const verdict = this.options.judge(read, name);
    if (verdict) throw this.toError(name, verdict);
    return read;
  }

  /** Makes a request. Resolves with any response. @throws DeliveryError when there is none */
  async request(url: string, init: CallInit & { readonly redirect?: string }): Promise<Response> {
    const { platform, fetch = egressFetch } = this.options;
    const { headers = this.options.headers, body, timeoutMs = CALL_TIMEOUT_MS, signal, ...rest } = init;
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      return await fetch(url, {
        ...rest,
        headers: { ...headers, ...(body && { 'content-type': body.type }) },
        ...(body && { body: body.content }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (error) {
      throw toNetworkError(error, platform);
    }
  }

  /**
   * Opens a file on a host of the platform, also when one redirects to another.
   * @param headers of each request; the credential goes along by default
   * @throws RefusedCallError, by the status, with words for people; DeliveryError when it can be tried again
   */
  async open(
    address: string,
    headers = this.options.headers,
  ): Promise<{ readonly type: string; readonly body: AsyncIterable<Uint8Array> }> {
    const { platform } = this.options;
    let url = address;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      if (!this.isOwn(url)) throw new RefusedCallError('host', `its address is not one of ${platform}`);
      const response = await this.request(url, {
        method: 'GET',
        ...(headers && { headers }),
        timeoutMs: FILE_TIMEOUT_MS,
      });
      const { ok: isOk, status, body } = response;
      if (isOk && body) return { type: response.headers.get('content-type') ?? '', body: readBody(body, platform) };
      await body?.cancel();
      const location = response.headers.get('location');
      const words = `${platform} responds with HTTP ${status}`;
      if (status >= 500 || status === 429) throw new DeliveryError('not_sent', words);
      if (!REDIRECTS.has(status) || location === null) throw new RefusedCallError(status, words);
      url = new URL(location, url).href;
    }
    throw new RefusedCallError('redirects', `${platform} redirects too often`);
  }

  private isOwn(address: string): boolean {
    const url = URL.parse(address);
    if (url?.origin === new URL(this.options.root).origin) return true;
    return url?.protocol === 'https:' && Boolean(this.options.ownHosts?.test(url.hostname));
  }

  private async waitForTurn(name: string): Promise<void> {
    const { clock, patienceMs = 0 } = this.options;
    const waitMs = Math.max(this.turnOfAll, this.turns.get(name) ?? 0) - clock.elapsed();
    if (waitMs > patienceMs) throw new LimitedCallError('limited', `${name}: too many requests`, waitMs);
    if (waitMs > 0) await clock.sleep(waitMs);
  }

  /** Notes what the headers of a response say of time and limits. */
  private note(name: string, headers: Headers): void {
    const time = Date.parse(headers.get('date') ?? '');
    if (Number.isFinite(time)) this.options.noteTime?.(time);
    if (headers.get('x-ratelimit-remaining') === '0')
      this.postpone(name, toMs(headers.get('x-ratelimit-reset-after')) ?? 0);
  }

  private postpone(name: string, waitMs: number): void {
    this.turns.set(name, this.options.clock.elapsed() + waitMs);
  }

  private toError(name: string, verdict: Verdict): Error {
    const { code, words = '' } = verdict;
    const message = `${name}: ${[code, words].filter((part) => part !== '').join(' ')}`;
    switch (verdict.kind) {
      case 'credential':
        return new DriverError('bad_credential', `${this.options.platform} refuses the token: ${code}`);
      case 'account':
        return new DriverError('misconfigured', message);
      case 'unknown':
        return new DeliveryError('unknown', message);
      case 'refused':
        return new RefusedCallError(code, message, words === '' ? String(code) : words, verdict.details);
      case 'limit': {
        const { waitMs, holds } = verdict;
        if (holds === 'all') this.turnOfAll = this.options.clock.elapsed() + waitMs;
        if (holds === 'call') this.postpone(name, waitMs);
        const text = `${name}: too many requests, again in ${waitMs / 1_000} s`;
        return new LimitedCallError(code, text, waitMs, holds === 'all');
      }
    }
  }
}

/** Returns a number of seconds, of a header or a body, in milliseconds; undefined for anything else. */
export function toMs(seconds: unknown): number | undefined {
  const number = Number(seconds ?? Number.NaN);
  return number > 0 && Number.isFinite(number) ? Math.ceil(number * 1_000) : undefined;
}

/** Returns the header of a credential. */
export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

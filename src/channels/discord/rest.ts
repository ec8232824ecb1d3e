import { BoundedMap } from '../../core/cache/bounded-map.js';
import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { toNetworkError } from '../../core/channels/network-error.js';
import type { Clock } from '../../core/time/clock.js';
import type { EgressFetch } from '../../http/egress-fetch.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 25_000;
/** Time limit of a download, in milliseconds. */
const FILE_TIMEOUT_MS = 60_000;
/** A call waits this long for its turn at most, in milliseconds; a longer wait is left to the caller. */
const MAX_WAIT_MS = 5_000;
/** Wait after a 429 that names none, in milliseconds. */
const DEFAULT_WAIT_MS = 5_000;
const MAX_ROUTES = 10_000;
/** The IDs of a path after that of its channel or server, by which limits do not differ. */
const MINOR_IDS = /(?<=^\/\w+\/\d+\/.*\/)\d{5,}/g;
/** The token of an interaction, in its path. */
const SECRET = /^(\/interactions\/)\d+\/[^/]+/;
const USER_AGENT = 'DiscordBot (https://www.npmjs.com/package/openclaw-gateway-nest, 1)';

/** Codes of errors (`code` of the body). */
export const TOO_MANY_OLD_EDITS = 30_046;
export const UNKNOWN_MESSAGE = 10_008;

/** Discord has refused a call. */
export class RefusedCallError extends DeliveryError {
  /**
   * @param code the code of the body; 0 if it has none
   * @param fields the fields of the request that are refused
   */
  constructor(
    readonly route: string,
    readonly status: number,
    readonly code: number,
    readonly fields: readonly string[],
    words: string,
  ) {
    super('refused', `${route}: ${status} ${code} ${words}`);
  }
}

/** A file of a call. */
export interface SentFile {
  readonly name: string;
  readonly mimeType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The body of an error, as far as it is there. */
interface Refusal {
  readonly message?: string;
  readonly code?: number;
  readonly errors?: object;
  readonly retry_after?: number;
  readonly global?: boolean;
}

export interface RestOptions {
  readonly token: string;
  readonly root: string;
  readonly fetch: EgressFetch;
  readonly clock: Clock;
  /** Called with the time of the server, in Unix milliseconds. */
  readonly noteTime: (time: number) => void;
}

/** The REST API of one bot. Each call is made once, not before its turn by the limits that Discord names. */
export class DiscordRest {
  /** When a route may be called again, by the monotonic clock. */
  private readonly turns = new BoundedMap<string, number>(MAX_ROUTES);
  private globalTurn = 0;

  constructor(private readonly options: RestOptions) {}

  /**
   * Makes a call. Resolves with the body of the response.
   * @param path with its query
   * @throws DriverError `bad_credential`; RefusedCallError; DeliveryError `not_sent` after a 429 and when the server could
   *   not be reached, `unknown` when the response was lost
   */
  async call<T>(method: string, path: string, body?: object, file?: SentFile): Promise<T> {
    const { root, fetch, token } = this.options;
    const route = `${method} ${path.replace(/\?.*/, '').replace(SECRET, '$1ID/TOKEN').replaceAll(MINOR_IDS, 'ID')}`;
    await this.waitForTurn(route);
    const encoded = await encode(body, file);
    try {
      const response = await fetch(`${root}${path}`, {
        method,
        headers: { authorization: `Bot ${token}`, 'user-agent': USER_AGENT, ...encoded.headers },
        ...(encoded.body !== undefined && { body: encoded.body }),
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
        redirect: 'error',
      });
      const text = await response.text();
      this.note(route, response.headers);
      if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
      throw this.toError(route, response, parse(text));
    } catch (error) {
      throw error instanceof DeliveryError || error instanceof DriverError ? error : toNetworkError(error, 'Discord');
    }
  }

  /** Requests a file, without the token. @throws DeliveryError when there is no response */
  async download(url: URL): Promise<Response> {
    try {
      return await this.options.fetch(url, { signal: AbortSignal.timeout(FILE_TIMEOUT_MS), redirect: 'error' });
    } catch (error) {
      throw toNetworkError(error, 'Discord');
    }
  }

  private async waitForTurn(route: string): Promise<void> {
    const { clock } = this.options;
    const ms = Math.max(this.globalTurn, this.turns.get(route) ?? 0) - clock.elapsed();
    if (ms > MAX_WAIT_MS) throw new DeliveryError('not_sent', `${route}: too many requests`, ms);
    if (ms > 0) await clock.sleep(ms);
  }

  private note(route: string, headers: Headers): void {
    const time = Date.parse(headers.get('date') ?? '');
    if (Number.isFinite(time)) this.options.noteTime(time);
    if (headers.get('x-ratelimit-remaining') === '0')
      this.postpone(route, toMs(headers.get('x-ratelimit-reset-after')) ?? 0);
  }

  private postpone(route: string, ms: number): void {
    this.turns.set(route, this.options.clock.elapsed() + ms);
  }

  private toError(route: string, { status, headers }: Response, refusal: Refusal | undefined): Error {
    const { message = '', code = 0, errors = {} } = refusal ?? {};
    if (status === 401) return new DriverError('bad_credential', 'Discord refuses the token: 401');
    if (status === 429 && code !== TOO_MANY_OLD_EDITS) {
      const ms = toMs(refusal?.retry_after) ?? toMs(headers.get('retry-after')) ?? DEFAULT_WAIT_MS;
      // Without a body the address itself is limited.
      const isAccountWide = refusal?.global ?? !refusal;
      if (isAccountWide) this.globalTurn = this.options.clock.elapsed() + ms;
      else this.postpone(route, ms);
      const words = `${route}: too many requests, again in ${ms} ms`;
      return new DeliveryError('not_sent', words, ms, { isAccountWide });
    }
    if (status >= 500) return new DeliveryError('unknown', `${route}: ${status} ${message}`);
    return new RefusedCallError(route, status, code, Object.keys(errors), message);
  }
}

/** Returns a number of seconds in milliseconds; undefined for what is none. */
function toMs(seconds: unknown): number | undefined {
  const number = seconds === null || seconds === undefined ? NaN : Number(seconds);
  return Number.isFinite(number) && number >= 0 ? Math.ceil(number * 1_000) : undefined;
}

function parse(text: string): Refusal | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

async function encode(
  body: object | undefined,
  file: SentFile | undefined,
): Promise<{ readonly headers?: Record<string, string>; readonly body?: string | Uint8Array }> {
  if (!body) return {};
  if (!file) return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const form = new FormData();
  form.set('payload_json', JSON.stringify(body));
  form.set('files[0]', new Blob([file.bytes], { type: file.mimeType }), file.name);
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type') ?? '';
  return { headers: { 'content-type': type }, body: new Uint8Array(await encoded.arrayBuffer()) };
}

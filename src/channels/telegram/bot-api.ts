import { buffer } from 'node:stream/consumers';
import type { ApiClientOptions, InputFile, RawApi } from 'grammy';
import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { readBody, toNetworkError } from '../../core/channels/network-error.js';
import type { EgressFetch } from '../../http/egress-fetch.js';

/** Time limit of a call, in milliseconds. */
const CALL_TIMEOUT_MS = 25_000;
/** Time limit of a call that sends a file, or downloads one, in milliseconds. */
export const FILE_TIMEOUT_MS = 60_000;

/** Telegram has refused a call. */
export class RefusedCallError extends DeliveryError {
  /**
   * @param code as in the response, for example 400
   * @param description Telegram's words
   * @param movedTo the new ID of a group that became a supergroup
   */
  constructor(
    readonly method: string,
    readonly code: number,
    readonly description: string,
    readonly movedTo?: number,
  ) {
    super('refused', `${method}: ${code} ${description}`);
  }
}

/** Calls a method of the Bot API. */
export type Call<T> = (methods: RawApi, abort: Parameters<RawApi['getMe']>[0]) => Promise<T>;

/**
 * The Bot API of one bot. Each call is made once, with a time limit. The token is part of every URL, so errors of the
 * network are replaced by their codes.
 */
export class BotApi {
  private constructor(
    private readonly methods: RawApi,
    private readonly fetch: EgressFetch,
    private readonly fileRoot: string,
    private readonly isRefusal: (error: unknown) => error is Refusal,
    /** Makes the value for a parameter that is a file. */
    readonly wrap: (bytes: Uint8Array, name: string) => InputFile,
  ) {}

  /**
   * Loads the SDK, in its form without a `fetch` of its own.
   * @param apiRoot the URL of the server, without a slash at the end
   * @param noteTime called with the time of the server, in Unix milliseconds
   */
  static async load(
    token: string,
    apiRoot: string,
    fetch: EgressFetch,
    noteTime: (time: number) => void,
  ): Promise<BotApi> {
    const { Api, GrammyError, InputFile } = await import('grammy/web');
    const { raw } = new Api(token, { apiRoot, fetch: toFetch(fetch, noteTime) });
    return new BotApi(
      raw,
      fetch,
      `${apiRoot}/file/bot${token}`,
      (error) => error instanceof GrammyError,
      (bytes, name) => new InputFile(bytes, name),
    );
  }

  /**
   * Makes a call.
   * @param signal aborts the call; its outcome is unknown then
   * @throws DriverError `bad_credential`; RefusedCallError; DeliveryError `not_sent` after a 429 and when the server could
   *   not be reached, `unknown` when the response was lost
   */
  async call<T>(
    make: Call<T>,
    { timeoutMs = CALL_TIMEOUT_MS, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<T> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      // The SDK declares a signal type of its own.
      return await make(this.methods, (signal ? AbortSignal.any([timeout, signal]) : timeout) as never);
    } catch (error) {
      throw this.isRefusal(error) ? toRefusal(error) : toNetworkError(error, 'Telegram');
    }
  }

  /**
   * Opens a file of Telegram's servers.
   * @param path the `file_path` of `getFile`
   * @throws RefusedCallError; DeliveryError when it can be tried again
   */
  async open(path: string): Promise<AsyncIterable<Uint8Array>> {
    const url = `${this.fileRoot}/${path.split('/').map(encodeURIComponent).join('/')}`;
    const response = await this.fetch(url, { signal: AbortSignal.timeout(FILE_TIMEOUT_MS), redirect: 'error' }).catch(
      (error: unknown) => {
        throw toNetworkError(error, 'Telegram');
      },
    );
    if (response.ok && response.body) return readBody(response.body, 'Telegram');
    const { status } = response;
    if (status < 500 && status !== 429)
      throw new RefusedCallError('file', status, `Telegram responds with HTTP ${status}`);
    throw new DeliveryError('not_sent', `a file could not be fetched: HTTP ${status}`);
  }
}

/** The part of grammY's `GrammyError` that is used. */
interface Refusal {
  readonly method: string;
  readonly error_code: number;
  readonly description: string;
  readonly parameters: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

function toRefusal({ method, error_code: code, description, parameters }: Refusal): Error {
  // A token that has not the form of one is 404.
  if (code === 401 || code === 404) return new DriverError('bad_credential', `Telegram refuses the token: ${code}`);
  if (code === 429) {
    const seconds = parameters.retry_after ?? 1;
    return new DeliveryError('not_sent', `${method}: too many requests, again in ${seconds} s`, seconds * 1_000);
  }
  if (code >= 500) return new DeliveryError('unknown', `${method}: ${code} ${description}`);
  return new RefusedCallError(method, code, description, parameters.migrate_to_chat_id);
}

/** Returns the `fetch` for the SDK, whose bodies may be streams and whose signals are not those of Node. */
function toFetch(fetch: EgressFetch, noteTime: (time: number) => void): NonNullable<ApiClientOptions['fetch']> {
  const adapted: typeof globalThis.fetch = async (input, init = {}) => {
    const { method, headers, body, signal } = init;
    const abort = new AbortController();
    signal?.addEventListener('abort', () => abort.abort(), { once: true });
    if (signal?.aborted) abort.abort();
    const bytes = typeof body === 'string' || !body ? body : await buffer(body as never);
    const response = await fetch(input, {
      ...(method !== undefined && { method }),
      ...(headers !== undefined && { headers }),
      ...(bytes && { body: bytes }),
      signal: abort.signal,
    });
    const time = Date.parse(response.headers.get('date') ?? '');
    if (Number.isFinite(time)) noteTime(time);
    return response;
  };
  return adapted as never;
}

import { DeliveryError } from '../../core/channels/driver.js';
import { toRaw, toText, type Raw } from '../../core/channels/kit/raw.js';
import { asForm } from '../platform/bodies.js';
import { bearer, FILE_TIMEOUT_MS, HttpApi, toMs, type ApiOptions, type ApiResponse } from '../platform/http-api.js';
import type { Verdict } from '../platform/verdict.js';

/** The wait after a 429 that names none, in milliseconds. */
const DEFAULT_WAIT_MS = 1_000;

const BAD_CREDENTIAL = new Set(
  'invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type'.split(' '),
);
const LIMITED = new Set('ratelimited rate_limited'.split(' '));
/** Slack's own faults: the call may have had its effect. */
const UNCERTAIN = new Set('internal_error fatal_error service_unavailable request_timeout'.split(' '));

/** The Web API with the token of a bot. */
export class WebApi {
  private readonly http: HttpApi;

  constructor(options: ApiOptions) {
    const headers = bearer(options.token);
    this.http = new HttpApi({ ...options, platform: 'Slack', headers, ownHosts: /(^|\.)slack\.com$/, judge });
  }

  /**
   * Calls a method. Resolves with the body of the response.
   * @param token another token than that of the bot
   * @throws as {@link HttpApi.call}
   */
  async call(method: string, parameters: Raw = {}, token?: string): Promise<Raw> {
    return toRaw((await this.request(method, parameters, token)).body);
  }

  /** Calls a method as {@link call} does. Resolves with the whole response. */
  request(method: string, parameters: Raw = {}, token?: string): Promise<ApiResponse> {
    const headers = token === undefined ? {} : { headers: bearer(token) };
    return this.http.call(method, `/${method}`, { body: asForm(parameters), ...headers });
  }

  /** Opens a file. The token goes to servers of Slack only. @throws as {@link HttpApi.open} */
  open(address: string): ReturnType<HttpApi['open']> {
    return this.http.open(address);
  }

  /** Uploads a file to an address that Slack has given. @throws DeliveryError */
  async upload(address: string, content: Uint8Array): Promise<void> {
    const body = { type: 'application/octet-stream', content };
    const { ok, status } = await this.http.request(address, {
      method: 'POST',
      headers: {},
      body,
      timeoutMs: FILE_TIMEOUT_MS,
    });
    // The file is not shared yet, so nothing has happened that people see.
    if (!ok) throw new DeliveryError('not_sent', `a file could not be uploaded: HTTP ${status}`);
  }
}

/** `chat.postMessage` is limited for one chat, which waits; other methods are limited for the workspace. */
function judge({ status, isOk, headers, body }: ApiResponse, method: string): Verdict | undefined {
  const { ok, error } = toRaw(body);
  if (isOk && ok === true) return undefined;
  const code = toText(error);
  if (status === 429 || (code !== undefined && LIMITED.has(code))) {
    const waitMs = toMs(headers.get('retry-after')) ?? DEFAULT_WAIT_MS;
    return { kind: 'limit', code: code ?? status, waitMs, holds: method === 'chat.postMessage' ? undefined : 'call' };
  }
  if (code === undefined || status >= 500 || UNCERTAIN.has(code))
    return { kind: 'unknown', code: code ?? `HTTP ${status}` };
  return { kind: BAD_CREDENTIAL.has(code) ? 'credential' : 'refused', code };
}

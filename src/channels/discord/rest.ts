import { toRaw, toText } from '../../core/channels/kit/raw.js';
import { asJson, asMultipart, type SentFile } from '../platform/bodies.js';
import { HttpApi, toMs, type ApiOptions, type ApiResponse } from '../platform/http-api.js';
import type { Verdict } from '../platform/verdict.js';

/** A call waits this long for its turn at most, in milliseconds. */
const MAX_WAIT_MS = 5_000;
/** Wait after a 429 that names none, in milliseconds. */
const DEFAULT_WAIT_MS = 5_000;
/** The IDs of a path after that of its channel or server, by which limits do not differ. */
const MINOR_IDS = /(?<=^\/\w+\/\d+\/.*\/)\d{5,}/g;
/** The token of an interaction, in its path. */
const SECRET = /^(\/interactions\/)\d+\/[^/]+/;
const USER_AGENT = 'DiscordBot (https://www.npmjs.com/package/openclaw-gateway-nest, 1)';

/** Codes of errors (`code` of the body). */
export const TOO_MANY_OLD_EDITS = 30_046;
export const UNKNOWN_MESSAGE = 10_008;

/** The REST API of one bot. */
export class DiscordRest {
  private readonly http: HttpApi;

  constructor(options: ApiOptions) {
    this.http = new HttpApi({
      ...options,
      platform: 'Discord',
      headers: { authorization: `Bot ${options.token}`, 'user-agent': USER_AGENT },
      ownHosts: /^(cdn\.discordapp\.com|media\.discordapp\.net)$/,
      patienceMs: MAX_WAIT_MS,
      judge,
    });
  }

  /**
   * Makes a call. Resolves with the body of the response.
   * @param path with its query
   * @throws as {@link HttpApi.call}; the details of a RefusedCallError are the fields that are refused
   */
  async call<T>(method: string, path: string, body?: object, file?: SentFile): Promise<T> {
    const route = `${method} ${path.replace(/\?.*/, '').replace(SECRET, '$1ID/TOKEN').replaceAll(MINOR_IDS, 'ID')}`;
    const encoded = file ? await asMultipart({ payload_json: body }, { 'files[0]': file }) : body && asJson(body);
    return (await this.http.call(route, path, { method, ...(encoded && { body: encoded }) })).body as T;
  }

  /** Opens a file, without the token. @throws as {@link HttpApi.open} */
  async open(url: string): Promise<AsyncIterable<Uint8Array>> {
    return (await this.http.open(url, {})).body;
  }
}

function judge({ status, isOk, headers, body }: ApiResponse): Verdict | undefined {
  if (isOk && (status === 204 || body !== undefined)) return undefined;
  const { message, code: given, errors } = toRaw(body);
  const code = Number(given ?? 0) || status;
  if (status === 401) return { kind: 'credential', code: status };
  if (status === 429 && code !== TOO_MANY_OLD_EDITS) return toLimit(code, headers, body);
  const words = toText(message) ?? '';
  if (isOk || status >= 500) return { kind: 'unknown', code: status, words };
  return { kind: 'refused', code, words, details: Object.keys(toRaw(errors)) };
}

/** Without a body the address itself is limited. */
function toLimit(code: number, headers: Headers, body: unknown): Verdict {
  const { retry_after: seconds, global: isGlobal } = toRaw(body);
  const waitMs = toMs(seconds) ?? toMs(headers.get('retry-after')) ?? DEFAULT_WAIT_MS;
  return { kind: 'limit', code, waitMs, holds: body === undefined || isGlobal === true ? 'all' : 'call' };
}

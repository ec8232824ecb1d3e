import type { ApiMethods } from '@grammyjs/types';
import { toRaw, toText } from '../../core/channels/kit/raw.js';
import { asJson, asMultipart, type SentFile } from '../platform/bodies.js';
import { FILE_TIMEOUT_MS, HttpApi, toMs, type ApiOptions, type ApiResponse } from '../platform/http-api.js';
import type { Verdict } from '../platform/verdict.js';

/** The methods of the Bot API, where a parameter may be a file. */
type Methods = ApiMethods<SentFile>;
export type Arguments<M extends keyof Methods> = Parameters<Methods[M]>[0];

/** The fields of a refusal besides its words. */
export interface RefusalDetails {
  /** The new ID of a group that became a supergroup. */
  readonly movedTo: string | undefined;
}

/** The Bot API of one bot. */
export class BotApi {
  private readonly http: HttpApi;
  private readonly fileRoot: string;

  constructor(options: ApiOptions) {
    const { root, token } = options;
    this.http = new HttpApi({ ...options, root: `${root}/bot${token}`, platform: 'Telegram', judge });
    this.fileRoot = `${root}/file/bot${token}`;
  }

  /**
   * Calls a method. Resolves with its result.
   * @param options.timeoutMs by default as {@link HttpApi.call}; longer for a file
   * @throws as {@link HttpApi.call}; the details of a RefusedCallError are {@link RefusalDetails}
   */
  async call<M extends keyof Methods>(
    method: M,
    parameters?: Arguments<M>,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ReturnType<Methods[M]>> {
    const files = Object.entries(parameters ?? {}).filter(isFile);
    const body =
      files.length === 0
        ? asJson(parameters ?? {})
        : await asMultipart({ ...parameters, ...toNothing(files) }, Object.fromEntries(files));
    const ofFile = files.length === 0 ? {} : { timeoutMs: FILE_TIMEOUT_MS };
    const response = await this.http.call(method, `/${method}`, { body, ...ofFile, ...options });
    return toRaw(response.body)['result'] as ReturnType<Methods[M]>;
  }

  /** Opens a file. @param path the `file_path` of `getFile` @throws as {@link HttpApi.open} */
  async open(path: string): Promise<AsyncIterable<Uint8Array>> {
    return (await this.http.open(`${this.fileRoot}/${path.split('/').map(encodeURIComponent).join('/')}`)).body;
  }
}

function isFile(entry: [string, unknown]): entry is [string, SentFile] {
  return toRaw(entry[1])['bytes'] instanceof Uint8Array;
}

const toNothing = (files: readonly [string, SentFile][]) => Object.fromEntries(files.map(([key]) => [key, undefined]));

function judge({ status, isOk, body }: ApiResponse): Verdict | undefined {
  const { ok, error_code: given, description, parameters } = toRaw(body);
  if (isOk && ok === true) return undefined;
  const code = typeof given === 'number' ? given : status;
  const { retry_after: seconds, migrate_to_chat_id: to } = toRaw(parameters);
  const words = toText(description) ?? '';
  // A token that has not the form of one is 404.
  if (code === 401 || code === 404) return { kind: 'credential', code };
  if (code === 429) return { kind: 'limit', code, waitMs: toMs(seconds) ?? 1_000 };
  if (isOk || code >= 500) return { kind: 'unknown', code, words };
  const details: RefusalDetails = { movedTo: typeof to === 'number' ? String(to) : undefined };
  return { kind: 'refused', code, words, details };
}

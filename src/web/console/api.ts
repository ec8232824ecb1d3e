/** A wrong part of a request. */
export interface Fault {
  /** A JSON pointer into the body, or `/NAME` of a parameter. */
  readonly pointer: string;
  readonly message: string;
}

/** A page of a list. `next` leads to the following one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** Filters and other parameters of a request. What is undefined or empty is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The body of a failed response (RFC 9457), as far as it is shown. */
interface Problem {
  readonly detail?: string;
  readonly code?: string;
  readonly faults?: readonly Fault[];
  readonly retry_after_ms?: number;
}

/** Thrown when the gateway did not do what was asked. */
export class ApiError extends Error {
  readonly code: string | undefined;
  readonly faults: readonly Fault[];
  readonly retryAfterMs: number | undefined;

  /** @param status 0: the gateway was not reached, so it is not known whether it has done it */
  constructor(
    readonly status: number,
    { detail = '', code, faults = [], retry_after_ms }: Problem = {},
  ) {
    super(faults.length > 0 ? faults.map(({ message }) => message).join('; ') : detail);
    this.name = 'ApiError';
    this.code = code;
    this.faults = faults;
    this.retryAfterMs = retry_after_ms;
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }

  get isMissing(): boolean {
    return this.status === 404;
  }
}

/** The credential of the person who is signed in. */
export interface Credentials {
  /** Undefined in open mode, and when a cookie is the credential. */
  readonly token: string | undefined;
  /** The tenant that an operator of all tenants has chosen. */
  readonly tenant: string | undefined;
  /** Called when the gateway does not accept the credential any more. */
  readonly refused: () => void;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Requests to the admin API of the page's own gateway. The token is sent in a header, only to that gateway. */
export class Api {
  /**
   * @param root the address of the gateway, with a slash at its end
   * @param request defaults to the browser's
   */
  constructor(
    readonly root: string,
    private readonly credentials: Credentials,
    private readonly request: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** The token of the person; undefined in open mode, and when a cookie is the credential. */
  get token(): string | undefined {
    return this.credentials.token;
  }

  /** Returns the body of the response. @param path below `/admin/v1`, with a slash at its beginning @throws ApiError */
  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.#send('GET', path, query, signal);
  }

  /** Returns a page of a list. @param cursor the `next` of the page before @throws ApiError */
  page<T>(path: string, query: Query, cursor?: string, signal?: AbortSignal): Promise<Page<T>> {
    return this.get(path, { ...query, cursor }, signal);
  }

  /** Returns the body of the response; undefined if it has none. @throws ApiError */
  post<T = void>(path: string, body: object = {}, query: Query = {}): Promise<T> {
    return this.#send('POST', path, query, undefined, body);
  }

  /** @throws ApiError */
  patch<T = void>(path: string, body: object): Promise<T> {
    return this.#send('PATCH', path, {}, undefined, body);
  }

  /** @throws ApiError */
  delete<T = void>(path: string, query: Query = {}): Promise<T> {
    return this.#send('DELETE', path, query);
  }

  /** Returns a response whose body is not JSON: an export, or a stream of events. @throws ApiError */
  async open(path: string, query: Query = {}, headers: Record<string, string> = {}, signal?: AbortSignal) {
    return this.#fetch('GET', path, query, signal, undefined, headers);
  }

  async #send<T>(method: Method, path: string, query: Query, signal?: AbortSignal, body?: object): Promise<T> {
    const response = await this.#fetch(method, path, query, signal, body);
    if (response.status === 204) return undefined as T;
    const received: unknown = await response.json().catch(() => undefined);
    signal?.throwIfAborted();
    // A body that ends in the middle: the connection was lost.
    if (received === undefined) throw new ApiError(0);
    return received as T;
  }

  async #fetch(
    method: Method,
    path: string,
    query: Query,
    signal?: AbortSignal,
    body?: object,
    more: Record<string, string> = {},
  ): Promise<Response> {
    const { token, tenant } = this.credentials;
    const options: RequestInit = {
      method,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...more,
      },
      // Without a token a cookie may be the credential.
      credentials: token === undefined ? 'same-origin' : 'omit',
      mode: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
      ...(signal && { signal }),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const response = await this.request(this.addressOf(path, { tenant, ...query }), options).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new ApiError(0);
    });
    if (response.ok) return response;
    const problem = ((await response.json().catch(() => undefined)) ?? {}) as Problem;
    // The person may have signed in again since: the refusal of an older token says nothing of the new one.
    if (response.status === 401 && token === this.credentials.token) this.credentials.refused();
    throw new ApiError(response.status, problem);
  }

  /** Returns the address of a call. */
  addressOf(path: string, query: Query): string {
    const values = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      if (value !== undefined && value !== '') values.set(name, String(value));
    return `${this.root}admin/v1${path}${values.size === 0 ? '' : `?${values}`}`;
  }
}

/** Writes a path of the API from its segments, each encoded: `pathOf('sessions', id)`. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

/** Why the gateway did not do what an operator asked for. `stale`: the settings were changed meanwhile. */
export type AdminFailure = 'signed-out' | 'forbidden' | 'stale' | 'throttled' | 'refused' | 'unreachable' | 'failed';

const FAILURES: Readonly<Record<number, AdminFailure>> = {
  400: 'refused',
  401: 'signed-out',
  403: 'forbidden',
  409: 'stale',
  422: 'refused',
  429: 'throttled',
};

/** Thrown when the gateway did not do it. The message is the gateway's own, or empty. */
export class AdminError extends Error {
  constructor(
    readonly failure: AdminFailure,
    message = '',
  ) {
    super(message);
    this.name = 'AdminError';
  }
}

/** The body of a refused request, as far as it is shown. */
interface Problem {
  readonly detail?: string;
  readonly details?: { readonly faults?: readonly { readonly message?: string }[] };
}

/** Sends requests of an operator to the page's own gateway. The token is sent in a header, only to that gateway. */
export class AdminRequests {
  /** `readToken` returns undefined in open mode. `request` defaults to the browser's. */
  constructor(
    private readonly readToken: () => string | undefined,
    private readonly request: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /** Returns the body of the response. @throws AdminError; what `signal` throws once it is aborted */
  async send<T>(method: 'GET' | 'POST' | 'PATCH', path: string, signal: AbortSignal, body?: object): Promise<T> {
    const response = await this.#fetch(`admin/v1${path}`, {
      method,
      signal,
      headers: this.#headers(body !== undefined),
      // Without a token a cookie may be the credential.
      credentials: this.readToken() === undefined ? 'same-origin' : 'omit',
      mode: 'same-origin',
      redirect: 'error',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const received: unknown = await response.json().catch(() => undefined);
    signal.throwIfAborted();
    if (response.ok && received !== undefined) return received as T;
    const { detail = '', details } = (received ?? {}) as Problem;
    const faults = (details?.faults ?? []).map(({ message = '' }) => message).join('; ');
    throw new AdminError(FAILURES[response.status] ?? 'failed', faults || detail);
  }

  #headers(hasBody: boolean): Record<string, string> {
    const token = this.readToken();
    return {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(hasBody && { 'Content-Type': 'application/json' }),
    };
  }

  async #fetch(path: string, options: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
    try {
      return await this.request(path, options);
    } catch (error) {
      if (options.signal.aborted) throw error;
      throw new AdminError('unreachable');
    }
  }
}

import { egressFetch, type EgressFetch } from '../../http/egress/egress-fetch.js';
import { readBeginning } from '../../http/egress/read-beginning.js';

/** Maximum length of a list of models, in bytes: large proxies list thousands. */
const MAX_BYTES = 8_388_608;

/** A response with a status other than 2xx. */
export class StatusError extends Error {
  constructor(readonly status: number) {
    super(status === 401 || status === 403 ? `the key is refused (HTTP ${status})` : `HTTP ${status}`);
  }
}

/**
 * Requests a JSON document from a configured server. Redirects are refused, because the headers have a key.
 * @throws StatusError; Error with a short reason: no connection, not JSON, too long, no response within `timeoutMs`
 */
export async function getJson(
  url: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  request: EgressFetch = egressFetch,
): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, {
      headers: { accept: 'application/json', ...headers },
      redirect: 'error',
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw new StatusError(response.status);
    }
    return JSON.parse(await readText(response)) as unknown;
  } catch (error) {
    if (signal.aborted) throw new Error(`no response within ${timeoutMs / 1_000} s`, { cause: error });
    if (error instanceof SyntaxError) throw new Error('the response is not JSON', { cause: error });
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(code, { cause: error });
  }
}

async function readText(response: Response): Promise<string> {
  const bytes = await readBeginning(response, MAX_BYTES + 1);
  if (bytes.length > MAX_BYTES) throw new Error('the response is too long');
  return bytes.toString('utf8');
}

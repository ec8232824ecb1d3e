/**
 * Why no live connection opens, as far as a page can find out; a browser does not report the reason.
 * - `away`: the gateway does not answer over HTTP either, or it is not ready.
 * - `foreign`: the gateway has said that it refuses pages of this origin.
 * - `throttled`: the gateway has said that it refuses this machine for now.
 * - `provider`: the gateway has said that it cannot ask the identity provider, so that it cannot check the credential.
 * - `answers`: the gateway answers over HTTP as it should. The reason is not known.
 */
export type LinkFinding = 'away' | 'foreign' | 'throttled' | 'provider' | 'answers';

/** Time after which a gateway that does not answer counts as away, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Sends a request to the page's own gateway. Rejects when there is no answer in time. */
export type Ask = (path: string, options: RequestInit) => Promise<Response>;

/**
 * Asks the gateway over HTTP. `token`: that of the page, undefined in open mode.
 *
 * Browsers send the origin of a page with a POST, so the gateway judges it as it does for a live connection. The code is
 * malformed, so that it counts as no failed sign-in.
 */
export async function findReason(token: string | undefined, ask: Ask = askInTime): Promise<LinkFinding> {
  try {
    const headers = { 'Content-Type': 'application/json' };
    const signIn = await ask('chat/sign-in', { method: 'POST', headers, body: '{"code":""}' });
    // A proxy may refuse with the same status.
    if (signIn.status === 403 && (await signIn.text()).includes('allowed_origins')) return 'foreign';
    if (signIn.status === 429) return 'throttled';
    if (signIn.status !== 400) return 'away';
    const ready = await ask('health/ready', {});
    if (!ready.ok) return 'away';
    if (token === undefined) return 'answers';
    const file = await ask('media/none', { headers: { Authorization: `Bearer ${token}` } });
    return file.status === 429 ? 'throttled' : 'answers';
  } catch {
    return 'away';
  }
}

// Not AbortSignal.timeout(), which older browsers lack.
const askInTime: Ask = async (path, options) => {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    return await fetch(path, { ...options, credentials: 'omit', redirect: 'error', signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
};

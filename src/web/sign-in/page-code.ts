import { readPlace, writePlace } from '../model/place.js';

/** The fragment of a sign-in link. */
export const CODE_FRAGMENT = /^#code=([A-Za-z0-9_-]{1,128})$/;

/** The result of exchanging a code: a token, or the reason why there is none. */
export type CodeOutcome =
  | { readonly token: string }
  | { readonly failure: 'expired' | 'throttled' | 'unreachable' | 'foreign' };

/**
 * Removes the code from the page's URL, so that neither the history nor a bookmark keeps it. A URL may carry only a
 * code or a place: never a token, never another gateway.
 */
export function takeCode(address: Location, history: History): string | undefined {
  const code = CODE_FRAGMENT.exec(address.hash)?.[1];
  const place = writePlace(readPlace(address.hash));
  if (address.hash !== place) history.replaceState(null, '', address.pathname + place);
  return code;
}

/** Exchanges a code for a token at the page's own gateway. @param root the way from the page's address to it */
export async function exchangeCode(code: string, root = ''): Promise<CodeOutcome> {
  try {
    const response = await fetch(`${root}chat/sign-in`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ code }),
      credentials: 'omit',
      redirect: 'error',
    });
    if (response.status === 403) return { failure: 'foreign' };
    if (response.status === 429) return { failure: 'throttled' };
    if (!response.ok) return { failure: 'expired' };
    const { token } = (await response.json()) as { readonly token: string };
    return { token };
  } catch {
    return { failure: 'unreachable' };
  }
}

/** The state of the sign-in by an identity provider. */
interface SessionState {
  readonly offered: boolean;
  /** True if this browser is signed in, by a cookie that the page cannot read. */
  readonly signed_in: boolean;
}

/** Where the browser goes to sign in; the way back leads to the chat. */
export const LOGIN_ADDRESS = 'auth/login?return_to=/chat';

/** Returns whether the page's own gateway offers a sign-in by an identity provider. False where it cannot be asked. */
export async function offersProvider(): Promise<boolean> {
  return (await readState())?.offered ?? false;
}

/** Returns whether this browser is signed in by an identity provider: the page holds no token then. */
export async function isSignedIn(): Promise<boolean> {
  return (await readState())?.signed_in ?? false;
}

/** Signs this browser out, in all tabs, and goes to the identity provider, which does the same. Nothing without a sign-in. */
export async function signOutOfProvider(): Promise<void> {
  if (!(await readState())?.signed_in) return;
  const answer = await ask('auth/logout', 'POST');
  const { location: next } = ((await answer?.json()) ?? {}) as { readonly location?: string };
  if (next !== undefined) location.assign(next);
}

async function readState(): Promise<SessionState | undefined> {
  const answer = await ask('auth/session', 'GET');
  return (await answer?.json()) as SessionState | undefined;
}

async function ask(path: string, method: string): Promise<Response | undefined> {
  const options = { method, credentials: 'same-origin', mode: 'same-origin', redirect: 'error' } as const;
  const answer = await fetch(path, options).catch(() => undefined);
  return answer?.ok ? answer : undefined;
}

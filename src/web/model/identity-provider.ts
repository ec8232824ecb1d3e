/** The state of the sign-in by an identity provider. */
interface SessionState {
  readonly offered: boolean;
  /** True if this browser is signed in, by a cookie that the page cannot read. */
  readonly signed_in: boolean;
}

/** A page that signs in: `root` is the way from its address to that of the gateway, `name` what the gateway calls it. */
export interface SigningPage {
  readonly root: string;
  readonly name: 'chat' | 'console';
}

/** The chat, whose address is one segment below that of the gateway. */
export const CHAT: SigningPage = { root: '', name: 'chat' };

/** Returns where the browser goes to sign in; the way back leads to the page. */
export function loginAddressOf({ root, name }: SigningPage): string {
  return `${root}auth/login?return_to=/${name}`;
}

/** Returns whether the page's own gateway offers a sign-in by an identity provider. False where it cannot be asked. */
export async function offersProvider({ root }: SigningPage): Promise<boolean> {
  return (await readState(root))?.offered ?? false;
}

/** Returns whether this browser is signed in by an identity provider: the page holds no token then. */
export async function isSignedIn({ root }: SigningPage): Promise<boolean> {
  return (await readState(root))?.signed_in ?? false;
}

/**
 * Signs this browser out, in all tabs, and goes to the identity provider, which does the same. Nothing without a sign-in.
 * Returns true if the page is left for the provider.
 */
export async function signOutOfProvider({ root }: SigningPage): Promise<boolean> {
  if (!(await readState(root))?.signed_in) return false;
  const answer = await ask(`${root}auth/logout`, 'POST');
  const { location: next } = ((await answer?.json()) ?? {}) as { readonly location?: string };
  if (next !== undefined) location.assign(next);
  return next !== undefined;
}

async function readState(root: string): Promise<SessionState | undefined> {
  const answer = await ask(`${root}auth/session`, 'GET');
  return (await answer?.json()) as SessionState | undefined;
}

async function ask(path: string, method: string): Promise<Response | undefined> {
  const options = { method, credentials: 'same-origin', mode: 'same-origin', redirect: 'error' } as const;
  const answer = await fetch(path, options).catch(() => undefined);
  return answer?.ok ? answer : undefined;
}

import { ProviderDownError, type UndecidedError } from '../credential-verifier.js';

const CONTACT_OPERATOR =
  'contact the operator of the gateway: “openclaw status” shows since when, and the log has the reason.';

const ADDRESS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;

/** Returns why the identity provider does not sign people in now, and what to do. The reason may have addresses: the log has it. */
export function describeOutage(error: UndecidedError): string {
  if (!(error instanceof ProviderDownError && error.isFault))
    return `The identity provider cannot be reached now. Wait a minute, then sign in again. If it keeps failing, ${CONTACT_OPERATOR}`;
  return `The identity provider cannot be used, as it does not respond as it should. To mend it, ${CONTACT_OPERATOR}`;
}

/**
 * Renders the page that says why a sign-in has failed, with the ways to go on.
 * @param says may have foreign text; addresses in it are not shown
 * @param returnTo the page of the gateway that the sign-in began at
 */
export function renderFailure(says: string, publicUrl: string, returnTo: string): string {
  return renderNotice(
    { title: 'Sign-in failed', heading: 'You are not signed in', says: says.replaceAll(ADDRESS, '(an address)') },
    [
      [`${publicUrl}/auth/login?return_to=${returnTo}`, 'Sign in again'],
      [`${publicUrl}${returnTo}`, 'Back to the page, to sign in with a token'],
    ],
  );
}

/** Renders the page that ends a sign-out while the provider cannot be asked. */
export function renderHalfSignedOut(publicUrl: string): string {
  const says =
    'The gateway has signed you out, in all tabs. The identity provider cannot be reached now, so you may still be signed in there: on a shared computer, sign out there too when it can be reached, or close all windows of the browser.';
  return renderNotice({ title: 'Signed out', heading: 'You are signed out here', says }, [
    [`${publicUrl}/chat`, 'Back to the chat'],
  ]);
}

interface Notice {
  readonly title: string;
  readonly heading: string;
  readonly says: string;
}

function renderNotice(
  { title, heading, says }: Notice,
  links: readonly (readonly [address: string, label: string])[],
): string {
  const ways = links.map(([address, label]) => `<p><a href="${escapeHtml(address)}">${label}</a></p>\n`).join('');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title></head>
<body>
<main>
<h1>${heading}</h1>
<p>${escapeHtml(says)}</p>
${ways}</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

import { ProviderDownError, type UndecidedError } from '../credential-verifier.js';

const CONTACT_OPERATOR = 'contact the operator of the gateway: “openclaw status” shows since when, and the reason.';

/** Says why the identity provider signs nobody in now, and what to do. */
export function describeOutage(error: UndecidedError): string {
  const fault = error instanceof ProviderDownError ? error.fault : undefined;
  if (fault === undefined)
    return `The identity provider cannot be reached now. Wait a minute, then sign in again. If it keeps failing, ${CONTACT_OPERATOR}`;
  return `The identity provider cannot be used, as it does not respond as it should: ${fault}. To mend it, ${CONTACT_OPERATOR}`;
}

/**
 * Renders the page that says why a sign-in has failed, with the ways to go on.
 * @param says may have foreign text
 * @param returnTo the page of the gateway that the sign-in began at
 */
export function renderFailure(says: string, publicUrl: string, returnTo: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign-in failed</title></head>
<body>
<main>
<h1>You are not signed in</h1>
<p>${escapeHtml(says)}</p>
<p><a href="${escapeHtml(`${publicUrl}/auth/login?return_to=${returnTo}`)}">Sign in again</a></p>
<p><a href="${escapeHtml(`${publicUrl}${returnTo}`)}">Back to the page, to sign in with a token</a></p>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Renders the page that says why a sign-in has failed. @param says may have foreign text */
export function renderFailure(says: string, publicUrl: string): string {
  const again = `${publicUrl}/auth/login?return_to=/chat`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign-in failed</title></head>
<body>
<h1>You are not signed in</h1>
<p>${escapeHtml(says)}</p>
<p><a href="${escapeHtml(again)}">Sign in again</a></p>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

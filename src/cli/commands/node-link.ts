/** The address of a gateway's page for devices, with a code in its fragment, which no server sees. */
export function formatLink(url: string, code: string): string | undefined {
  return isSecure(url) ? `${url}/node#pair=${code}` : undefined;
}

/** Browsers give cameras and keys to pages of https, and of http on this machine. */
function isSecure(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** The ways in which a person uses a code. */
export async function describeLink(
  url: string,
  { code, expires_at: expiresAt }: { readonly code: string; readonly expires_at: number },
  isTerminal: boolean,
): Promise<string> {
  const link = formatLink(url, code);
  const until = new Date(expiresAt).toISOString().slice(11, 16);
  const program = `On a computer: openclaw node run --url ${url} --pair ${code}\n`;
  if (link === undefined)
    return `${program}A browser cannot be a device at ${url}: it needs https, for example by Tailscale Serve. Valid until ${until} UTC.\n`;
  return `${program}In a browser: ${link}\n${isTerminal ? await drawCode(link) : ''}Valid until ${until} UTC, once.\n`;
}

/** Draws a QR code for terminals. */
async function drawCode(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  return `${renderUnicodeCompact(text)}\n`;
}

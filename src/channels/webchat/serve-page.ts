/** The parts that controllers of pages share: one address, one way to send a file, one policy to which each adds its own. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageFile } from './page-files.js';

/** Returns the encodings that a browser accepts, as it says them. */
export function readAcceptEncoding({ headers }: IncomingMessage): string {
  return headers['accept-encoding']?.toString() ?? '';
}

/**
 * Redirects an address with a slash at its end: those in a page are relative to one without. Returns whether it did.
 * @param name the last segment of the address
 */
export function redirectFromSlash(request: IncomingMessage, response: ServerResponse, name: string): boolean {
  if (!new URL(request.url ?? '', 'http://gateway').pathname.endsWith('/')) return false;
  response.writeHead(302, { Location: `../${name}` }).end();
  return true;
}

export function sendPageFile(
  response: ServerResponse,
  { body, mediaType, encoding }: PageFile,
  cacheControl: string,
): void {
  response.setHeader('Content-Type', mediaType);
  response.setHeader('Content-Length', body.length);
  response.setHeader('Cache-Control', cacheControl);
  response.setHeader('Vary', 'Accept-Encoding');
  if (encoding !== undefined) response.setHeader('Content-Encoding', encoding);
  response.end(body);
}

/**
 * Returns the policy of a page: it runs only its own files, connects only to its own gateway, cannot be framed, and creates
 * HTML through named policies only.
 * @param request its Host has passed the rules; it is named for browsers in which 'self' does not include WebSockets
 * @param own the directives of this page alone
 */
export function buildPolicy({ headers: { host = '' } }: IncomingMessage, own: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ws://${host} wss://${host}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    ...own,
  ].join('; ');
}

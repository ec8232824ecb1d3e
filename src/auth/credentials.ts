import type { IncomingMessage } from 'node:http';
import { BEARER_SUBPROTOCOL_PREFIX } from '../protocol/constants.js';

/** The credential of a request: none, one token, or an unusable one. */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'unusable' };

/** The kind of a caller's credential, as the log and the audit trail name it. `none`: no credential. */
export type CredentialName =
  | Credential['kind']
  | 'tailscale'
  | 'page code'
  | 'pairing code'
  | 'session'
  | 'sign-in'
  | 'logout token';

/**
 * Reads the credential of a request: `Authorization: Bearer TOKEN`, or for browsers the subprotocol
 * `openclaw.bearer.TOKEN`. Two different ones are unusable, because the principal would be ambiguous.
 */
export function readCredential({ headersDistinct }: IncomingMessage): Credential {
  const found = [
    ...(headersDistinct['authorization'] ?? []).map(readBearer),
    ...readSubprotocols(headersDistinct['sec-websocket-protocol'] ?? []),
  ];
  const [token, ...others] = new Set(found);
  if (found.length === 0) return { kind: 'none' };
  if (token === undefined || others.length > 0) return { kind: 'unusable' };
  return { kind: 'token', token };
}

/** Returns undefined for another scheme. */
function readBearer(header: string): string | undefined {
  return /^bearer +([A-Za-z0-9._~-]+) *$/i.exec(header)?.[1];
}

function readSubprotocols(headers: readonly string[]): string[] {
  return headers
    .flatMap((header) => header.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol.startsWith(BEARER_SUBPROTOCOL_PREFIX))
    .map((protocol) => protocol.slice(BEARER_SUBPROTOCOL_PREFIX.length));
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { STATUS_CODES } from 'node:http';
import { BEARER_SUBPROTOCOL_PREFIX } from '../protocol/constants.js';

/** The HTTP response to a refused upgrade. */
export interface UpgradeRefusal {
  readonly status: number;
  /** Sent to the caller as plain text. */
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parameters of a client in the URL of its upgrade. */
export interface ConnectParameters {
  readonly clientId: string | undefined;
  /** The tenant that an operator of all tenants speaks in; undefined for its own. */
  readonly tenant: string | undefined;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;
}

/** Time for a refused peer to read the response, in milliseconds. */
const LINGER_MS = 1_000;

/** Checks an upgrade against RFC 6455 section 4.2.1. Returns undefined if it conforms. */
export function checkHandshake(request: IncomingMessage): UpgradeRefusal | undefined {
  const { headersDistinct, method } = request;
  if (method !== 'GET') return { status: 405, reason: 'A WebSocket upgrade is a GET', headers: { Allow: 'GET' } };
  if (request.httpVersion !== '1.1') return { status: 400, reason: 'A WebSocket upgrade needs HTTP/1.1' };
  const versions = headersDistinct['sec-websocket-version'] ?? [];
  if (versions.length !== 1 || versions[0] !== '13') {
    return { status: 426, reason: 'WebSocket version 13 is needed', headers: { 'Sec-WebSocket-Version': '13' } };
  }
  const keys = headersDistinct['sec-websocket-key'] ?? [];
  if (keys.length !== 1 || !isKey(keys[0]))
    return { status: 400, reason: 'Sec-WebSocket-Key must be 16 bytes in base64' };
  if (headersDistinct['content-length'] && headersDistinct['transfer-encoding']) {
    return { status: 400, reason: 'Content-Length and Transfer-Encoding exclude each other' };
  }
  return undefined;
}

/**
 * Refuses a token in a subprotocol without the subprotocol itself: nothing could be selected, and browsers then close the
 * connection without a reason.
 */
export function checkSubprotocols(
  { headersDistinct }: IncomingMessage,
  subprotocol: string | undefined,
): UpgradeRefusal | undefined {
  const offered = (headersDistinct['sec-websocket-protocol'] ?? []).flatMap((header) => header.split(/\s*,\s*/));
  const hasToken = offered.some((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX));
  if (subprotocol === undefined || !hasToken || offered.includes(subprotocol)) return undefined;
  return { status: 400, reason: `Offer the subprotocol ${subprotocol} beside ${BEARER_SUBPROTOCOL_PREFIX}TOKEN` };
}

function isKey(key = ''): boolean {
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === key;
}

/** Returns the path of a URL without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Responds to an upgrade with an HTTP status and ends the socket. */
export function refuseUpgrade(socket: Duplex, { status, reason, headers = {} }: UpgradeRefusal): void {
  const fields = {
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(reason)),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const destroy = () => socket.destroy();
  socket.on('error', destroy);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${reason}`, destroy);
  setTimeout(destroy, LINGER_MS).unref();
}

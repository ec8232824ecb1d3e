import type { CloseReason } from '../core/delivery/frame-reader.js';

/** Why a socket is closed: by the core, or for what its peer sends or fails to send. */
export type SocketCloseReason =
  | CloseReason
  | 'protocolError'
  | 'unsupportedData'
  | 'invalidUtf8'
  | 'tooBig'
  | 'invalidFrames'
  | 'rateLimit'
  | 'heartbeatLost';

/** Close code (RFC 6455 section 7.4) and text of each reason. */
export type CloseTable = Readonly<Record<SocketCloseReason, { readonly code: number; readonly reason: string }>>;

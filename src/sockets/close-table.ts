import type { CloseReason } from '../core/delivery/frame-reader.js';

/** The reason to close a socket: one of the core's, or a fault of the peer. */
export type SocketCloseReason =
  | CloseReason
  | 'protocolError'
  | 'unsupportedData'
  | 'invalidUtf8'
  | 'tooBig'
  | 'overloaded'
  | 'undecided'
  | 'providerDown'
  | 'invalidFrames'
  | 'rateLimit'
  | 'heartbeatLost';

/** Close code (RFC 6455 section 7.4) and text of each reason. */
export type CloseTable = Readonly<Record<SocketCloseReason, { readonly code: number; readonly reason: string }>>;

/**
 * The connection has ended permanently: the gateway closed it with a code after which reconnecting is useless, or the
 * program closed it. `code` is the WebSocket close code (protocol.md section 7), 1000 when the program closed it.
 */
export class ConnectionEndedError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
  ) {
    super(`The connection to the gateway has ended: ${reason || 'no reason given'} (${code})`);
    this.name = 'ConnectionEndedError';
  }
}

/**
 * The message is larger than the gateway accepts and was not sent: the gateway would close the connection. `bytes` is
 * the size of its frame, `maxBytes` the gateway's `limits.max_frame_bytes`.
 */
export class MessageTooLargeError extends Error {
  constructor(
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super(`The message has ${bytes} bytes with its frame; the gateway accepts ${maxBytes}`);
    this.name = 'MessageTooLargeError';
  }
}

/** The message was cancelled before it left this client: the gateway never received it. */
export class WithdrawnError extends Error {
  constructor() {
    super('The message was cancelled before it was sent');
    this.name = 'WithdrawnError';
  }
}

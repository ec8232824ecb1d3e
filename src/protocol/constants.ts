/** Constants of the wire protocol, separate from its schemas so that the browser client loads no validator. */

/** The version of this protocol, sent in `connected`. New fields come with a new number. */
export const PROTOCOL_VERSION = 1;

/** The WebSocket subprotocol that the gateway selects and echoes, and the prefix under which browsers carry a token. */
export const SUBPROTOCOL = 'openclaw.v1';
export const BEARER_SUBPROTOCOL_PREFIX = 'openclaw.bearer.';

/** The channel of all messages that are written in the page. */
export const WEBCHAT = 'webchat';

/** The format of a token. A subprotocol, which carries it, allows no other characters (protocol.md section 1). */
export const TOKEN_PATTERN = /^[A-Za-z0-9._~-]{16,4096}$/;

/** Limits of the envelope itself (protocol.md section 2). */
export const ENVELOPE_LIMITS = { maxIdLength: 128, maxDepth: 32, maxValues: 4_000 } as const;

/** Maximum length of a message text, in code points. */
export const MAX_CONTENT_LENGTH = 65_536;

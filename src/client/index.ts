/** TypeScript client of the gateway's wire protocol, for Node 24 or newer and for browsers. */
export { MAX_CONTENT_LENGTH, PROTOCOL_VERSION, TOKEN_PATTERN } from '../protocol/constants.js';
export { GatewayError } from '../protocol/errors.js';
export type {
  Attachment,
  BlockType,
  CanvasAction,
  CanvasApp,
  CanvasBlock,
  HistoryMessage,
  MessageInPayload,
  OutboundFrame,
  PresenceStatus,
  StreamBlock,
  ToolStatusPayload,
} from '../protocol/index.js';
export { countCodePoints } from '../protocol/code-points.js';
export type { ReplyState } from '../protocol/reply-state.js';
export type { WebchatConversation, WebchatIdentity } from '../protocol/webchat.js';
export { GatewayClient } from './client.js';
export type { ConnectionState } from './reconnecting-link.js';
export { ConnectionEndedError, MessageTooLargeError, WithdrawnError } from './errors.js';
export type { DurableFrame } from './frames.js';
export type { Loss, SocketConstructor, SocketLike } from './link.js';
export type { SendOptions } from './messages.js';
export type { GatewayClientEvents, GatewayClientOptions } from './options.js';
export type { ReplyEvent } from './reply-events.js';
export type { Acknowledgement } from './reply-feed.js';
export { Reply } from './reply.js';
export type { SessionPosition } from './sessions.js';
export { systemTimers, type Timers } from './timers.js';
export { Transcript, type TranscriptSource } from './transcript.js';
export type { MessagePhase, TranscriptMessage } from './transcript-message.js';
